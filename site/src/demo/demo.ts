import process from 'node:process';
import { formatCursor } from '@boardwire/contracts';
import type { DemoArguments } from './arguments.ts';
import { AuditRecord } from './audit-record.ts';
import { signInCast, type Cast } from './cast.ts';
import { showProgress } from './progress.ts';
import { Replay } from './replay.ts';
import { isWhole, report } from './report.ts';
import { board, writeScript } from './script.ts';
import type { SiteInUse } from './site-to-use.ts';
import { isClean, judge, type Verdict } from './verdict.ts';
import { Witness } from './witness.ts';

const witnessMaxMs = 10_000;
const auditMaxMs = 30_000;

/** Plays the two hours and compares all records. True when everybody has every event, once, in order. */
export async function runDemo(site: SiteInUse, options: DemoArguments, say: (text: string) => void): Promise<boolean> {
  const startedAt = performance.now();
  const run = Date.now().toString(36);
  const script = writeScript({ ...options, run });
  const cast = await signInCast(site.url, site.adminPassword);
  say(
    `Forty guests and the programs are signed in. ${script.length} events in ${options.seconds} s, seed ${options.seed}:`,
  );
  try {
    const isGood = await playAndCompare(site, cast, script, options, say);
    say(`  in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
    return isGood;
  } finally {
    await cast.leave();
  }
}

async function playAndCompare(
  site: SiteInUse,
  cast: Cast,
  script: ReturnType<typeof writeScript>,
  { events, seconds }: DemoArguments,
  say: (text: string) => void,
): Promise<boolean> {
  const audit = new AuditRecord(site.url, cast.programs);
  const auditSize = await audit.size();
  const { epoch, head } = await cast.programs.board(board);
  const start = formatCursor(epoch, head);
  const replay = new Replay(cast);
  const follower = new Witness(cast.programs, board, start);
  let lateJoiner: Witness | undefined;

  const progress = showProgress(events, process.stdout);
  const ticking = setInterval(
    () => progress.update({ accepted: replay.accepted.size, followed: follower.sightings.length }),
    100,
  );
  await replay.play(script, seconds, () => (lateJoiner = new Witness(cast.programs, board, start)));
  const last = Math.max(0, ...Array.from(replay.accepted.values(), ({ seq }) => seq));
  await Promise.all([follower.hasReached(last, witnessMaxMs), lateJoiner?.hasReached(last, witnessMaxMs)]);
  progress.update({ accepted: replay.accepted.size, followed: follower.sightings.length });
  clearInterval(ticking);
  progress.stop();

  await audit.hasReached(last, auditMaxMs);
  const verdicts: Verdict[] = [
    judge('follower (SSE)', replay.accepted, follower.sightings),
    judge('late joiner', replay.accepted, lateJoiner?.sightings ?? []),
    judge('audit log', replay.accepted, await audit.eventsFrom(auditSize)),
  ];
  if (lateJoiner !== undefined && lateJoiner.reloads > 0) {
    say('  The late joiner had missed more than a replay holds: told so by reset, it read the gap from history.');
  }
  for (const { failure } of [follower, lateJoiner ?? follower]) {
    if (failure !== undefined) say(`  a stream ended: ${failure.message}`);
  }
  follower.close();
  lateJoiner?.close();
  say(report(replay, verdicts, follower));
  return isWhole(replay) && replay.accepted.size === events && verdicts.every(isClean);
}
