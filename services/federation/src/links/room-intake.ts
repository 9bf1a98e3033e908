import type { WireItem } from '@boardwire/contracts';
import type { CheckedBatch, Ingest, ItemOutcome } from '../ingest/ingest.ts';
import { claimOf, type Judge } from './blame.ts';
import type { Backfill, FeedGoal } from './backfill.ts';
import type { PeerClient } from './peer-client.ts';
import type { RoomProgress } from './room-progress.ts';

export interface RoomIntakeOptions {
  room: string;
  ingest: Pick<Ingest, 'take' | 'check' | 'store'>;
  judge: Judge;
  progress: RoomProgress;
  backfill: Backfill;
}

/**
 * Takes what a stream brings. When an item can't be taken because one before it is missing or doesn't prove itself, the
 * stream waits until that one was fetched, from its carrier or from another member, and the item is taken then: so a
 * stream that goes on while a feed is repaired doesn't open the next hole.
 */
export class RoomIntake {
  readonly #options: RoomIntakeOptions;

  constructor(options: RoomIntakeOptions) {
    this.#options = options;
  }

  /** What can be said of items before it is their turn. */
  check(items: readonly WireItem[], carrier: PeerClient): Promise<CheckedBatch> {
    return this.#options.ingest.check(this.#options.room, items, { carrier: carrier.site });
  }

  /** False when something had to be repaired. */
  async take(checked: CheckedBatch, carrier: PeerClient, signal: AbortSignal): Promise<boolean> {
    const { ingest, judge, progress, backfill, room } = this.#options;
    const { items } = checked;
    const outcomes = await ingest.store(checked);
    await judge(outcomes, items, carrier.site);
    if (outcomes.every(isSettled)) return true;
    await progress.refresh();
    if (outcomes.some(({ outcome }) => outcome === 'unknown_feed')) await backfill.learnMembers(carrier, signal);
    for (const goal of goalsOf(outcomes, items, progress)) {
      // oxlint-disable-next-line no-await-in-loop -- feeds are repaired in turn
      await backfill.fill(goal, { first: carrier.site, signal });
    }
    const again = items.filter((_item, at) => mayComeAgain(outcomes[at]!));
    if (again.length > 0) await ingest.take(room, again, { carrier: carrier.site });
    return false;
  }
}

const isSettled = ({ outcome }: ItemOutcome) => !['gap', 'unverifiable', 'unknown_feed'].includes(outcome);
const mayComeAgain = ({ outcome }: ItemOutcome) => outcome === 'gap' || outcome === 'unknown_feed';

/** What has to be there before the rest of these can be taken: of each feed up to its last item but one that waits. */
function goalsOf(outcomes: readonly ItemOutcome[], items: readonly WireItem[], progress: RoomProgress): FeedGoal[] {
  const goals = new Map<string, FeedGoal>();
  for (const [at, outcome] of outcomes.entries()) {
    const claim = isSettled(outcome) ? undefined : claimOf(items[at]!);
    if (claim === undefined || outcome.outcome === 'unknown_feed') continue;
    const key = `${claim.site} ${claim.epoch}`;
    // Of an item that didn't prove itself the place is anybody's word: what is asked for then is the next one.
    const next = (progress.row(claim.site, claim.epoch)?.n ?? 0) + 1;
    const upTo = outcome.outcome === 'gap' ? claim.oseq - 1 : next;
    const known = goals.get(key);
    if (known === undefined) goals.set(key, { site: claim.site, epoch: claim.epoch, upTo });
  }
  return [...goals.values()];
}
