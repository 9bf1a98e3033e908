import { percentiles } from './percentiles.ts';
import type { Replay } from './replay.ts';
import { isClean, type Verdict } from './verdict.ts';
import type { Witness } from './witness.ts';

/** What is printed at the end: counts by witness, latencies, the verdict in one line. */
export function report(replay: Replay, verdicts: readonly Verdict[], follower: Witness): string {
  const rows = [
    ['', 'events', 'missing', 'twice', 'misplaced'],
    ['accepted by the site', String(replay.accepted.size), '', '', ''],
    ...verdicts.map(({ who, seen, missing, twice, misplaced }) => [
      who,
      ...[seen, missing, twice, misplaced].map(String),
    ]),
  ];
  const failures = replay.failures.slice(0, 5).map(({ id, error }) => `  not accepted: ${id}: ${error.message}`);
  return [
    '',
    ...rows.map(([who, ...counts]) => `  ${who!.padEnd(24)}${counts.map((count) => count.padStart(11)).join('')}`),
    ...(replay.unanswered === 0 ? [] : ['', `  ${replay.unanswered} events have no answer yet`]),
    ...(replay.failures.length === 0 ? [] : ['', `  ${replay.failures.length} events were not accepted`, ...failures]),
    '',
    latencyLine('post → 201', acceptMs(replay)),
    latencyLine('post → received (SSE)', receiveMs(replay, follower)),
    '',
    verdictLine(replay, verdicts),
    '',
  ].join('\n');
}

/** Every event was accepted. */
export const isWhole = ({ failures, unanswered }: Replay): boolean => failures.length === 0 && unanswered === 0;

function verdictLine(replay: Replay, verdicts: readonly Verdict[]): string {
  return isWhole(replay) && verdicts.every(isClean)
    ? '  ✔ Everybody has every event, once, in order.'
    : '  ✘ Something was not accepted, is missing, doubled or out of order: see the table.';
}

function latencyLine(what: string, values: readonly number[]): string {
  const { count, p50, p95, p99, max } = percentiles(values);
  const shown = [p50, p95, p99, max].map((value) => `${value.toFixed(1)} ms`);
  return `  ${what.padEnd(24)} p50 ${shown[0]}, p95 ${shown[1]}, p99 ${shown[2]}, max ${shown[3]} (${count} events)`;
}

function acceptMs({ accepted }: Replay): number[] {
  return [...accepted.values()].map(({ sentMs, acceptedMs }) => acceptedMs - sentMs);
}

/** Only what came live: a replay after a break says nothing about delivery. */
function receiveMs({ sentMs }: Replay, follower: Witness): number[] {
  return follower.sightings.flatMap(({ id, atMs, isLive }) => {
    const sent = sentMs.get(id);
    return sent === undefined || !isLive ? [] : [atMs - sent];
  });
}
