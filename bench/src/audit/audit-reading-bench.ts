import { setTimeout as sleep } from 'node:timers/promises';
import { auditEntrySchema } from '@boardwire/contracts';
import { atLeast, atMost, benchResult, type BenchResult, type BenchRow } from '../result.ts';
import type { OptionValues } from '../options.ts';
import { percentile } from '../percentile.ts';
import { pace } from '../load/pace.ts';
import { onStage, type Say, type Stage } from '../rig/stage.ts';
import { measureExport, pageKinds, pageTimes, type LogFacts } from './audit-reads.ts';
import { AuditRig } from './audit-rig.ts';

export const auditReadingHelp = `How soon pages of a large day of the audit log come, and how fast it is exported.

  npm run bench -- audit-reading [--records 1000000] [--requests 20]

  --records    entries of the day
  --requests   of each kind of page

The shipped service over a durable Postgres. The log is filled through the mirror, as fast as the service takes it, and read over
the service's own HTTP API. Pages hold up to 500 entries.
`;

const askedMs = 300;
const askedRows = 50_000;
const fillRate = 12_000;
const fillBurst = 100;
const actors = 5_000;
const samplesWanted = 20;
const drainMaxMs = 300_000;
/** Autovacuum's default nap and some work: after it there are statistics, and block ranges are summarized. */
const maintenanceMs = 90_000;
const megabyte = 1_000_000;

export const benchAuditReading = {
  help: auditReadingHelp,
  defaults: { records: 1_000_000, requests: 20 },
  quick: { records: 100_000, requests: 5 },
  run: (options: OptionValues, say: Say): Promise<BenchResult> =>
    onStage(say, (stage) => measure(stage, options as Record<string, number>), { isPinned: false }),
};

async function measure(stage: Stage, options: Record<string, number>): Promise<BenchResult> {
  const { say, folder } = stage;
  const [records, requests] = [options['records']!, options['requests']!];
  const rig = stage.own(await AuditRig.start(folder, ['board-1', 'board-2', 'board-3', 'board-4']));
  say(`  … filling the log with ${records.toLocaleString('en-US')} records`);
  await fill(rig, records);
  await rig.settled(drainMaxMs);
  say('  … the database looks after what is new once a minute');
  await sleep(maintenanceMs);
  const facts = await factsOf(rig);
  const rows: BenchRow[] = [];
  for (const kind of pageKinds(facts)) {
    say(`  … pages: ${kind.what}`);
    // oxlint-disable-next-line no-await-in-loop -- one kind after the other
    const times = await pageTimes(rig, kind, requests);
    rows.push(atMost(kind.what, Math.max(...times), 'ms', askedMs, `median ${percentile(times, 0.5).toFixed(0)} ms`));
  }
  for (const format of ['jsonl', 'csv']) {
    say(`  … export as ${format}`);
    // oxlint-disable-next-line no-await-in-loop -- one file after the other
    const { size } = await rig.health();
    // oxlint-disable-next-line no-await-in-loop -- records of reading may have come since
    const run = await measureExport(rig, `export?format=${format}`, size);
    rows.push(atLeast(`export, ${format}`, Math.round(run.rowsPerSecond), ' rows/s', askedRows));
    const [first, second] = run.growth.map((bytes) => Math.round(bytes / megabyte));
    rows.push({ what: `memory while it lasts, ${format}`, value: second!, unit: 'MB', note: `first half ${first} MB` });
  }
  return benchResult('audit-reading', options, rows, [
    'Service, Postgres (durable), nats-server and reader share the machine; nothing is pinned.',
    'Of pages the slowest request counts. Memory is what the service holds at most beyond what it held before the export.',
  ]);
}

async function fill(rig: AuditRig, records: number): Promise<void> {
  let number = 0;
  await pace({ rate: fillRate, burst: fillBurst, seconds: records / fillRate }, (count) => {
    for (let at = 0; at < count; at += 1) {
      number += 1;
      rig.feed(`board-${(number % 4) + 1}`, number, `user-${(number * 7_919) % actors}`);
    }
  });
}

async function factsOf(rig: AuditRig): Promise<LogFacts> {
  const { size } = await rig.health();
  const places = Array.from({ length: samplesWanted }, (_, at) => Math.floor(((at + 0.5) / samplesWanted) * size));
  const samples = await Promise.all(
    places.map(async (place) => auditEntrySchema.parse(await rig.read(`entries/${place}`))),
  );
  return { day: samples[0]!.day, size, samples };
}
