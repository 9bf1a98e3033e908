import type { BoardChannel } from './board-channel.ts';
import type { BoardLog } from './board-log.ts';
import type { LogEvent } from './board-ring.ts';
import type { FilterSet } from './filter-set.ts';
import type { ReplayGate, ReplayTurn } from './replay-gate.ts';

export interface ReplayPage {
  events: readonly LogEvent[];
  /** The position that the page reaches. */
  to: number;
  /** What comes next is not kept any more. */
  isPruned?: true;
  /** The channel's removals before it was read. */
  removals: number;
}

interface ReplayQuery {
  wanted: FilterSet;
  after: number;
  upTo: number;
  turn: ReplayTurn;
}

const pageEventsMax = 500;
export const pageBytesMax = 256 * 1024;

/** Pages of a board's past for those who catch up: from the ring when it reaches back far enough, else from chat. */
export class ReplaySource {
  readonly #log: BoardLog;
  readonly #gate: ReplayGate;

  constructor(log: BoardLog, gate: ReplayGate) {
    this.#log = log;
    this.#gate = gate;
  }

  /** What asks for more than the ring holds takes its turn as well. */
  inTurn<T>(turn: ReplayTurn, work: () => Promise<T>): Promise<T> {
    return this.#gate.run(turn, work);
  }

  /** The matching events of (after, …], in order, at most up to `upTo` and at most a page. Takes its turn. */
  async next(channel: BoardChannel, query: ReplayQuery): Promise<ReplayPage> {
    const { epoch, removals } = channel;
    const page = await this.#gate.run(query.turn, () =>
      isInRing(channel, query) ? pageOfRing(channel, query) : this.#pageOfLog(channel, query),
    );
    if (page.epoch === epoch) return { ...page, removals };
    // These seqs are others' events. Whoever asked hears of the new epoch before it asks again.
    await channel.whenLeft(epoch);
    return { events: [], to: query.after, removals };
  }

  async #pageOfLog(channel: BoardChannel, query: ReplayQuery) {
    const { wanted, after, upTo } = query;
    const asked = { wanted, after, upTo, bytesMax: pageBytesMax };
    const { epoch, events, to, oldest = 1 } = await this.#log.after(channel.board, asked);
    if (epoch === channel.epoch) channel.noteOldest(oldest);
    if (oldest > query.after + 1) return { epoch, events: [], to: query.after, isPruned: true as const };
    return { epoch, events: events.filter((event) => channel.shows(event, query.wanted)), to };
  }
}

/** Whether all of (after, upTo] is here. */
export function isInRing({ ring, passed }: BoardChannel, { after, upTo }: { after: number; upTo: number }): boolean {
  return ring.covers(after) && upTo <= passed;
}

/** The matching events of (after, …] that a ring holds, up to a page of them. */
export function pageOfRing(channel: BoardChannel, query: { wanted: FilterSet; after: number; upTo: number }) {
  const { epoch, removals } = channel;
  const events: LogEvent[] = [];
  let bytes = 0;
  for (let seq = query.after + 1; seq <= query.upTo; seq += 1) {
    const event = channel.ring.get(seq);
    if (event === undefined || !channel.shows(event, query.wanted)) continue;
    bytes += event.bytes.length;
    if (events.length === pageEventsMax || (events.length > 0 && bytes > pageBytesMax))
      return { epoch, removals, events, to: seq - 1 };
    events.push(event);
  }
  return { epoch, removals, events, to: query.upTo };
}
