import { isConnectionError } from '@boardwire/database';
import type { Loop } from '@boardwire/service-kit';
import { TermEnded, type Sequencer } from '../log/sequencer.ts';
import type { ZoneDays } from '../log/zone-days.ts';
import type { AuditMetrics } from '../metrics.ts';
import { decisionEntry } from './decision-entry.ts';
import type { DecisionInbox } from './decision-inbox.ts';

export interface InboxLoopOptions {
  inbox: DecisionInbox;
  sequencer: Sequencer;
  days: ZoneDays;
  zoneOf: (board: string | undefined) => string;
  metrics: AuditMetrics;
}

const batchMax = 512;
/** Another replica may have taken a decision in; nobody pokes us then. */
const lookEveryMs = 250;

/** Moves decisions from the inbox into the log while this process leads. */
export function inboxLoop(options: InboxLoopOptions): (loop: Loop) => Promise<void> {
  const { inbox, sequencer } = options;
  return async (loop) => {
    let wake: () => void = () => undefined;
    inbox.onReceived(() => wake());
    while (!loop.signal.aborted) {
      const received = new Promise<void>((resolve) => (wake = resolve));
      // oxlint-disable-next-line no-await-in-loop -- a batch after the other
      const moved = sequencer.committed === undefined ? 0 : await moveBatch(options).catch(nothingMoved);
      // oxlint-disable-next-line no-await-in-loop
      if (moved < batchMax) await loop.idle(lookEveryMs, received);
      else loop.beat();
    }
  };
}

/** What passes by itself is tried again; anything else ends the loop, so that it is seen. */
function nothingMoved(error: unknown): number {
  if (isConnectionError(error) || error instanceof TermEnded) return 0;
  throw error;
}

async function moveBatch({ inbox, sequencer, days, zoneOf, metrics }: InboxLoopOptions): Promise<number> {
  const items = await inbox.next(batchMax);
  if (items.length === 0) return 0;
  const calendar = { zoneOf, dayOf: (ms: number, zone: string) => days.dayOf(ms, zone) };
  metrics.inboxWaited((Date.now() - items[0]!.receivedMs) / 1_000);
  await sequencer.appendDecisions(items.map((item) => decisionEntry(item, calendar)));
  // Taking decisions in may have opened or closed some.
  await sequencer.countGaps();
  return items.length;
}
