import process from 'node:process';
import { UserError } from '../user-error.ts';
import { help, parseArguments } from './arguments.ts';
import { runFederationDemo } from './demo.ts';
import { nothingOpened, startThreeSites, stopThreeSites } from './three-sites.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const opened = nothingOpened();

let ending: Promise<never> | undefined;

/** Nothing of the sites may outlive a demo that is interrupted; what breaks because of that is no failure. */
function end(code: number): Promise<never> {
  ending ??= stopThreeSites(opened)
    .catch((error: unknown) => process.stderr.write(`${String(error)}\n`))
    .then(() => process.exit(code));
  return ending;
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(130));

try {
  const options = parseArguments(process.argv.slice(2));
  if (options.isHelp) {
    process.stdout.write(help);
    process.exit(0);
  }
  say('Starting three sites:');
  const sites = await startThreeSites(say, opened);
  await end((await runFederationDemo(sites, options, say)) ? 0 : 1);
} catch (error) {
  if (ending !== undefined) await ending;
  const text = error instanceof UserError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`\n${text}\n`);
  await end(2);
}
