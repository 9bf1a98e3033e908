import process from 'node:process';
import { UserError } from '../user-error.ts';
import { help, parseDemoArguments } from './arguments.ts';
import { runDemo } from './demo.ts';
import { siteToUse, type SiteInUse } from './site-to-use.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);
let site: SiteInUse | undefined;

/** A site of our own must not outlive a demo that is interrupted. */
async function end(code: number): Promise<never> {
  await site?.release().catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
  process.exit(code);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(130));

try {
  const options = parseDemoArguments(process.argv.slice(2));
  if (options.isHelp) {
    process.stdout.write(help);
    process.exit(0);
  }
  site = await siteToUse(options.url, process.env, say);
  await end((await runDemo(site, options, say)) ? 0 : 1);
} catch (error) {
  const text = error instanceof UserError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`\n${text}\n`);
  await end(2);
}
