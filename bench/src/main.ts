import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { checkoutFolder } from '@boardwire/embedded';
import { benchAudit } from './audit/audit-bench.ts';
import { benchAuditReading } from './audit/audit-reading-bench.ts';
import { benchBursts } from './delivery/bursts-bench.ts';
import { benchConnect } from './delivery/connect-bench.ts';
import { benchFanout } from './delivery/fanout-bench.ts';
import { benchFilters } from './delivery/filters-bench.ts';
import { benchGrowth } from './delivery/growth-bench.ts';
import { benchIntake } from './delivery/intake-bench.ts';
import { benchMemory } from './delivery/memory-bench.ts';
import { benchResume } from './delivery/resume-bench.ts';
import { benchSaturation } from './delivery/saturation-bench.ts';
import { benchStalled } from './delivery/stalled-bench.ts';
import { benchFederation } from './federation/federation-bench.ts';
import { benchLatency, latencyHelp } from './latency/latency-bench.ts';
import { benchPublish, publishHelp } from './publish/publish-bench.ts';
import { commonOptions, readOptions, UsageError, type OptionValues } from './options.ts';
import { compared } from './report/base.ts';
import { plot } from './report/svg.ts';
import type { BenchResult } from './result.ts';
import { table } from './table.ts';

export interface Bench {
  help: string;
  defaults: OptionValues;
  /** Values of the defaults for a short run. */
  quick?: OptionValues;
  run(options: OptionValues, say: (text: string) => void): Promise<BenchResult>;
}

const benches: Record<string, Bench> = {
  publish: { help: publishHelp, quick: { seconds: 5 }, ...benchPublish },
  latency: { help: latencyHelp, quick: { posts: 200 }, ...benchLatency },
  fanout: benchFanout,
  bursts: benchBursts,
  saturation: benchSaturation,
  memory: benchMemory,
  connect: benchConnect,
  resume: benchResume,
  stalled: benchStalled,
  intake: benchIntake,
  filters: benchFilters,
  growth: benchGrowth,
  audit: benchAudit,
  'audit-reading': benchAuditReading,
  federation: benchFederation,
};

const help = `Measures in a temporary folder and starts what it needs. Close what else runs: a number is as good as the machine is quiet.

  npm run bench -- publish      accepted events per second on one board, and the relay's rate
  npm run bench -- latency      post → received over SSE on an idle site
  npm run bench -- fanout       CPU per delivery, beside C, Socket.IO and Nest
  npm run bench -- bursts       the same, ten events at once
  npm run bench -- saturation   most deliveries a second on one core
  npm run bench -- memory       memory of an idle connection
  npm run bench -- connect      connections a second, and CPU for each
  npm run bench -- resume       thousands of clients that come back at once
  npm run bench -- stalled      a tenth of the clients does not read
  npm run bench -- intake       events from JetStream to one subscriber
  npm run bench -- filters      an event's cost with a thousand filters
  npm run bench -- growth       delivery at 500 and 9,900 connections, history pages in growing logs
  npm run bench -- audit        records a second into the audit log, and how soon they are signed
  npm run bench -- audit-reading  pages and exports of a day of a million records
  npm run bench -- federation   post on one site → SSE on the other, and catching up after an absence
  npm run bench -- all          everything, or --only fanout,bursts; what fails does not stop the rest

--quick        fewer and shorter rounds
--out FOLDER   where JSON and SVG go; default .boardwire/bench/<time>
--base FOLDER  results to compare with; default bench/base
--json         prints only JSON
Each has --help.
`;

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const text = error instanceof UsageError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`\n${text}\n`);
  process.exitCode = 2;
}

async function main([name = '--help', ...args]: string[]): Promise<number> {
  const bench = benches[name];
  if (bench === undefined && name !== 'all') {
    if (name !== '--help' && name !== '-h') throw new UsageError(`No bench is called ${name}.\n\n${help}`);
    process.stdout.write(help);
    return 0;
  }
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(bench?.help ?? help);
    return 0;
  }
  return bench === undefined ? runAll(args) : runOne(name, bench, args);
}

async function runOne(name: string, bench: Bench, args: readonly string[]): Promise<number> {
  const { rest, common } = commonOptions(args);
  const defaults = common.isQuick ? { ...bench.defaults, ...bench.quick } : bench.defaults;
  const options = readOptions(rest, defaults);
  const result = await bench.run(options, (text) => process.stderr.write(`${text}\n`));
  const base = await readBase(common.base ?? join(checkoutFolder, 'bench', 'base'), name);
  const shown = compared(result, base);
  if (!common.isJson) process.stdout.write(table(shown));
  process.stdout.write(`${JSON.stringify(shown)}\n`);
  const out = common.out ?? join(checkoutFolder, '.boardwire', 'bench', result.at.replaceAll(':', '-'));
  await save(resolve(out), shown);
  return result.rows.every(({ isMet }) => isMet !== false) ? 0 : 1;
}

/** One after the other; what fails is told and counted. */
async function runAll(args: readonly string[]): Promise<number> {
  const { rest, common } = commonOptions(args);
  const { only } = readOptions(rest, { only: Object.keys(benches).join(',') });
  const names = String(only).split(',');
  const unknown = names.find((name) => !Object.hasOwn(benches, name));
  if (unknown !== undefined) throw new UsageError(`No bench is called ${unknown}.`);
  const out = common.out ?? join(checkoutFolder, '.boardwire', 'bench', new Date().toISOString().replaceAll(':', '-'));
  const passed = [...args.filter((arg) => !rest.includes(arg)), ...(common.out === undefined ? ['--out', out] : [])];
  const failed: string[] = [];
  for (const name of names) {
    process.stderr.write(`\n${name}\n`);
    try {
      // oxlint-disable-next-line no-await-in-loop -- one at a time
      if ((await runOne(name, benches[name]!, passed)) !== 0) failed.push(`${name}: not met`);
    } catch (error) {
      failed.push(`${name}: ${(error as Error).message}`);
      process.stderr.write(`  ✘ ${(error as Error).stack}\n`);
    }
  }
  process.stderr.write(`\nresults in ${out}\n${failed.map((line) => `  ✘ ${line}\n`).join('')}`);
  return failed.length === 0 ? 0 : 1;
}

async function readBase(folder: string, name: string): Promise<BenchResult | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, `${name}.json`), 'utf8')) as BenchResult;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function save(folder: string, result: BenchResult): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${result.bench}.json`), `${JSON.stringify(result, undefined, 2)}\n`);
  await writeFile(join(folder, `${result.bench}.svg`), plot(result));
  process.stderr.write(`  ✔ ${join(folder, `${result.bench}.json`)} and .svg\n`);
}
