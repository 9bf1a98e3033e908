import { benchResult, atLeast, atMost, type BenchResult } from '../result.ts';
import type { OptionValues } from '../options.ts';
import { pace } from '../load/pace.ts';
import { onStage, type Say, type Stage } from '../rig/stage.ts';
import { AuditRig } from './audit-rig.ts';
import { between, quantile } from './histogram.ts';

export const auditHelp = `How many records a second the audit log takes in, for how long, and how soon each is under a signed checkpoint.

  npm run bench -- audit [--seconds 60] [--rate 10500] [--boards 4]

  --rate     events a second that the mirror is fed with
  --boards   the events are of so many boards

The shipped service over a durable Postgres and a nats-server; a stand-in for chat feeds the mirror and doesn't ask for acknowledgements.
Every event must be in the log once, without a gap, and under a checkpoint. The time is from an event's commit to the signature that covers it.
`;

const askedRate = 10_000;
const askedSeconds = 1.5;
const burst = 50;
const drainMaxMs = 60_000;
const commitToCheckpoint = 'boardwire_audit_commit_to_checkpoint_seconds';

export const benchAudit = {
  help: auditHelp,
  defaults: { seconds: 60, rate: 10_500, boards: 4 },
  quick: { seconds: 10 },
  run: (options: OptionValues, say: Say): Promise<BenchResult> =>
    onStage(say, (stage) => measure(stage, options as Record<string, number>), { isPinned: false }),
};

async function measure(stage: Stage, options: Record<string, number>): Promise<BenchResult> {
  const { say, folder } = stage;
  const names = Array.from({ length: options['boards']! }, (_, at) => `board-${at + 1}`);
  const rig = stage.own(await AuditRig.start(folder, names));
  say('  … warming up');
  await feed(rig, { names, rate: 2_000, seconds: 2 });
  const warm = await rig.settled(drainMaxMs);
  const before = await rig.metrics();
  say(`  … ${options['seconds']} s of ${options['rate']} events a second`);
  const startedAt = performance.now();
  const sent = await feed(rig, { names, rate: options['rate']!, seconds: options['seconds']! });
  const feedSeconds = (performance.now() - startedAt) / 1_000;
  const within = (await rig.health()).size - warm.size;
  const after = await rig.settled(drainMaxMs);
  const settledSeconds = (performance.now() - startedAt) / 1_000;
  const waits = between(before, await rig.metrics(), commitToCheckpoint);
  if (after.size - warm.size !== sent || after.gaps !== 0) {
    throw new Error(`${sent} events were fed, ${after.size - warm.size} are in the log with ${after.gaps} gaps`);
  }
  return benchResult('audit', options, rowsOf({ within, sent, feedSeconds, settledSeconds, waits }), [
    'Service, Postgres (durable), nats-server and feeder share the machine; nothing is pinned.',
    'Time to the checkpoint: of the oldest event of each transaction, from its commit in chat; quantiles between the bounds of a histogram.',
  ]);
}

interface Measured {
  within: number;
  sent: number;
  feedSeconds: number;
  settledSeconds: number;
  waits: ReturnType<typeof between>;
}

function rowsOf({ within, sent, feedSeconds, settledSeconds, waits }: Measured) {
  return [
    atLeast('records in the log while they came', Math.round(within / feedSeconds), '/s', askedRate),
    { what: 'records', value: sent, unit: '' },
    { what: 'from the last event to the last checkpoint', value: settledSeconds - feedSeconds, unit: 's' },
    { what: 'commit → signed checkpoint, p50', value: quantile(waits, 0.5), unit: 's' },
    atMost('commit → signed checkpoint, p99', quantile(waits, 0.99), 's', askedSeconds),
  ];
}

async function feed(rig: AuditRig, { names, rate, seconds }: { names: string[]; rate: number; seconds: number }) {
  let number = 0;
  return pace({ rate, burst, seconds }, (count) => {
    for (let at = 0; at < count; at += 1) {
      number += 1;
      rig.feed(names[number % names.length]!, number);
    }
  });
}
