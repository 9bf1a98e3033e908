import type { FeedPlan } from '../contenders/contender.ts';
import type { Say } from '../rig/stage.ts';
import { measureRound, type Entry, type Round } from './measure-round.ts';

export interface InterleaveOptions {
  rounds: number;
  plan: FeedPlan;
  say: Say;
  /** The first pass, which does not count, is left out. */
  isWarm?: boolean;
}

/** By name of the contender; the rounds stand in order. */
export type Rounds = Map<string, Round[]>;

const warmUpSeconds = 2;

/** A B C A B C: whatever the machine does meanwhile, it does to all. The first pass warms up and does not count. */
export async function interleave(
  entries: readonly Entry[],
  { rounds, plan, say, isWarm = false }: InterleaveOptions,
): Promise<Rounds> {
  const measured: Rounds = new Map(entries.map(({ contender }) => [contender.name, []]));
  for (const entry of isWarm ? [] : entries) {
    // oxlint-disable-next-line no-await-in-loop -- one server at a time
    await measureRound(entry, { ...plan, seconds: Math.min(warmUpSeconds, plan.seconds) });
  }
  for (let round = 1; round <= rounds; round += 1) {
    for (const entry of entries) {
      // oxlint-disable-next-line no-await-in-loop
      measured.get(entry.contender.name)!.push(await measureRound(entry, plan));
    }
    const line = [...measured].map(([name, done]) => `${name} ${done.at(-1)!.microsPerDelivery.toFixed(1)}`);
    say(`  … round ${round} of ${rounds}, µs a delivery: ${line.join(', ')}`);
  }
  return measured;
}
