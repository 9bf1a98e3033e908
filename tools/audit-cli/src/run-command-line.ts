import { parseArgs } from 'node:util';
import { Given, type Command } from './command.ts';
import { commands } from './commands/commands.ts';
import { helpOf, overview } from './help.ts';
import { Report, type Output } from './report.ts';
import { CannotTell, exitCodes, Refuted, type Verdict } from './verdict.ts';

/** Runs one command and answers the exit code. */
export async function runCommandLine(args: readonly string[], output: Output): Promise<number> {
  const command = commands.find(({ name }) => name === args.slice(0, name.split(' ').length).join(' '));
  if (command === undefined) return withoutCommand(args, output);
  const rest = args.slice(command.name.split(' ').length);
  if (rest.includes('--help') || rest.includes('-h')) {
    output.out(helpOf(command));
    return exitCodes.verified;
  }
  const report = new Report(output, rest.includes('--json'));
  try {
    const verified = await command.run(parse(command, rest, report));
    return told(report, command, 'verified', verified);
  } catch (error) {
    if (error instanceof Refuted) return told(report, command, 'refuted', error.message, error.evidence);
    if (error instanceof CannotTell) return told(report, command, 'unknown', error.message);
    // Not a verdict on the log, whatever it is: a crash would end with 1, which says proven false.
    return told(report, command, 'unknown', `something unforeseen: ${(error as Error).stack ?? String(error)}`);
  }
}

function told(
  report: Report,
  { name }: Command,
  verdict: Verdict,
  reason: string,
  evidence?: readonly string[],
): number {
  report.end(name, verdict, reason, evidence);
  return exitCodes[verdict];
}

function withoutCommand(args: readonly string[], output: Output): number {
  const asked = args.filter((arg) => !arg.startsWith('-')).slice(0, 2);
  if (asked.length === 0 && (args.includes('--help') || args.includes('-h'))) {
    output.out(overview());
    return exitCodes.verified;
  }
  if (asked.length > 0) output.err(`There is no command “${asked.join(' ')}”.\n\n`);
  output.err(overview());
  return exitCodes.unknown;
}

function parse(command: Command, args: readonly string[], report: Report): Given {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, { type, isRepeated = false }]) => [
      name,
      { type, multiple: isRepeated },
    ]),
  );
  try {
    const json = { type: 'boolean' as const };
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { ...options, json },
      allowPositionals: true,
    });
    checkFiles(command, positionals.length);
    return new Given(positionals, values, report);
  } catch (error) {
    if (error instanceof CannotTell) throw error;
    const names = Object.keys(command.options).map((name) => `--${name}`);
    throw new CannotTell(
      `${(error as Error).message.split('. ')[0]}. Allowed: ${[...names, '--json', '--help'].join(' ')}`,
      {
        cause: error,
      },
    );
  }
}

function checkFiles({ name, files, filesMin, filesMax }: Command, count: number): void {
  if (count >= filesMin && count <= filesMax) return;
  const wanted = files === '' ? 'no file' : files;
  throw new CannotTell(`${name} takes ${wanted}; ${count} given. Try: boardwire-audit ${name} --help`);
}
