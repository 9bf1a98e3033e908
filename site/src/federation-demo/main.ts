import process from 'node:process';
import { UserError } from '../user-error.ts';
import { help, parseArguments } from './arguments.ts';
import { runFederationDemo } from './demo.ts';
import { nothingOpened, startThreeSites, stopThreeSites } from './three-sites.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const opened = nothingOpened();

/** Nothing of the sites may outlive a demo that is interrupted. */
async function end(code: number): Promise<never> {
  await stopThreeSites(opened).catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
  process.exit(code);
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
  const text = error instanceof UserError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`\n${text}\n`);
  await end(2);
}
