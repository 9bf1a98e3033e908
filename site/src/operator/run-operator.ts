import { parseArgs } from 'node:util';
import type { Environment } from '@boardwire/embedded';
import { Given, type Command } from './command.ts';
import { commands } from './commands/commands.ts';
import { helpOf, overview, siteOptions } from './help.ts';
import { Misuse } from './misuse.ts';
import { exitCodes, Report, type Output } from './report.ts';
import { readSettings } from './site-settings.ts';

export interface OperatorOptions {
  env: Environment;
  output: Output;
  signal: AbortSignal;
}

/** Runs one command and answers the exit code. */
export async function runOperator(args: readonly string[], { env, output, signal }: OperatorOptions): Promise<number> {
  const command = commands.find(({ name }) => name === args[0]);
  if (command === undefined) return withoutCommand(args, output);
  if (args.includes('--help') || args.includes('-h')) {
    output.out(helpOf(command));
    return exitCodes.fine;
  }
  const report = new Report(output, args.includes('--json'));
  try {
    const values = parse(command, args.slice(1));
    await command.run(new Given(values, await readSettings(values, env), report, signal));
  } catch (error) {
    if (error instanceof Misuse) {
      output.err(`${error.message}\nTry: boardwire ${command.name} --help\n`);
      return exitCodes.usage;
    }
    report.add({ check: command.name, verdict: 'finding', says: sayingOf(error) });
  }
  report.end(command.name);
  return report.exitCode;
}

function sayingOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const reasons = error instanceof AggregateError ? error.errors : [];
  return [error.message, ...reasons.map(sayingOf)].filter((text) => text !== '').join('; ');
}

function withoutCommand(args: readonly string[], output: Output): number {
  if (args[0] === '--help' || args[0] === '-h') {
    output.out(overview());
    return exitCodes.fine;
  }
  if (args[0] !== undefined) output.err(`There is no command “${args[0]}”.\n\n`);
  output.err(overview());
  return exitCodes.usage;
}

function parse(command: Command, args: readonly string[]): Record<string, string | boolean | (string | boolean)[]> {
  const known: Command['options'] = { ...command.options, ...siteOptions };
  const options = Object.fromEntries(
    Object.entries(known).map(([name, { type, isRepeated = false }]) => [name, { type, multiple: isRepeated }]),
  );
  try {
    return { ...parseArgs({ args: [...args], options, allowPositionals: false }).values } as ReturnType<typeof parse>;
  } catch (error) {
    const names = Object.keys(known).map((name) => `--${name}`);
    throw new Misuse(`${(error as Error).message.split('. ')[0]}. Allowed: ${names.join(' ')}`, { cause: error });
  }
}
