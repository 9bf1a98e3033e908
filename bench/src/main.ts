import process from 'node:process';
import { benchLatency, latencyHelp } from './latency/latency-bench.ts';
import { benchPublish, publishHelp } from './publish/publish-bench.ts';
import type { BenchResult } from './result.ts';
import { readOptions, UsageError, type OptionValues } from './options.ts';
import { table } from './table.ts';

interface Bench {
  help: string;
  defaults: OptionValues;
  run(options: OptionValues, say: (text: string) => void): Promise<BenchResult>;
}

const benches: Record<string, Bench> = {
  publish: { help: publishHelp, ...benchPublish },
  latency: { help: latencyHelp, ...benchLatency },
};

const help = `Measures a site of its own in a temporary folder, each service in a process of its own.

  npm run bench -- publish      accepted events per second on one board, and the relay's rate
  npm run bench -- latency      post → received over SSE on an idle site

--json prints only JSON. Each has --help. Close what else runs: a number is as good as the machine is quiet.
`;

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  const text = error instanceof UsageError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`\n${text}\n`);
  process.exitCode = 2;
}

async function run([name = '--help', ...args]: string[]): Promise<number> {
  const bench = benches[name];
  if (bench === undefined) {
    if (name !== '--help' && name !== '-h') throw new UsageError(`No bench is called ${name}.\n\n${help}`);
    process.stdout.write(help);
    return 0;
  }
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(bench.help);
    return 0;
  }
  const isJson = args.includes('--json');
  const options = readOptions(
    args.filter((arg) => arg !== '--json'),
    bench.defaults,
  );
  const result = await bench.run(options, (text) => process.stderr.write(`${text}\n`));
  if (!isJson) process.stdout.write(table(result));
  process.stdout.write(`${JSON.stringify(result)}\n`);
  return result.rows.every(({ isMet }) => isMet !== false) ? 0 : 1;
}
