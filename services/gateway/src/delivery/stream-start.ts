import {
  formatCursor,
  parseCursor,
  type Cursor,
  type Reset,
  type ResetReason,
  type Resumed,
} from '@boardwire/contracts';
import type { BoardChannel } from './board-channel.ts';
import type { BoardLog } from './board-log.ts';
import type { FilterSet } from './filter-set.ts';

/** Where a client wants its stream to start. */
export type StreamStart =
  | { kind: 'live' }
  | { kind: 'beginning' }
  | { kind: 'after'; cursor: Cursor }
  | { kind: 'last'; count: number }
  /** What the client holds is no cursor. */
  | { kind: 'unreadable'; requested: string };

/** How a stream opens: from where it goes on, up to where that is a replay. */
export type Opening =
  | { kind: 'resumed'; position: number; target: number; resumed: Resumed }
  | { kind: 'reset'; position: number; target: number; reset: Reset };

export interface StartQuery {
  channel: BoardChannel;
  wanted: FilterSet;
  start: StreamStart;
}

/** @returns undefined for text that is neither a cursor nor `start`. */
export function startAfter(text: string): StreamStart | undefined {
  if (text === 'start') return { kind: 'beginning' };
  const cursor = parseCursor(text);
  return cursor === undefined ? undefined : { kind: 'after', cursor };
}

/** Decides how a stream opens: which replay it gets, or why its cursor doesn't hold. */
export class StartPlanner {
  readonly #log: BoardLog;
  readonly #replayEventsMax: number;

  constructor(log: BoardLog, replayEventsMax: number) {
    this.#log = log;
    this.#replayEventsMax = replayEventsMax;
  }

  async plan(query: StartQuery): Promise<Opening> {
    const { channel, start } = query;
    const { epoch } = channel;
    const opening = await this.#plan(query);
    // The log started again while it was read: what was planned names positions that are gone.
    return channel.epoch === epoch ? opening : this.#reset(channel, requestedBy(start), 'epoch');
  }

  async #plan({ channel, wanted, start }: StartQuery): Promise<Opening> {
    if (start.kind === 'live') return resumedFrom(channel, channel.passed, 0);
    if (start.kind === 'unreadable') return this.#reset(channel, start.requested, 'unknown');
    if (start.kind === 'last') return this.#newest(channel, wanted, start.count);
    if (start.kind === 'beginning') return this.#replay(channel, wanted, { epoch: channel.epoch, seq: 0 });
    const { cursor } = start;
    if (cursor.epoch !== channel.epoch) return this.#reset(channel, cursor, 'epoch');
    return cursor.seq > channel.passed ? this.#beyond(channel, cursor) : this.#replay(channel, wanted, cursor);
  }

  async #replay(channel: BoardChannel, wanted: FilterSet, cursor: Cursor): Promise<Opening> {
    const target = channel.passed;
    const max = this.#replayEventsMax + 1;
    const count = channel.ring.covers(cursor.seq)
      ? countInRing(channel, { wanted, after: cursor.seq, upTo: target, max })
      : await this.#log.count(channel.board, { wanted, after: cursor.seq, upTo: target, max });
    if (count > this.#replayEventsMax) return this.#reset(channel, cursor, 'too_far');
    return resumedFrom(channel, cursor.seq, count, target);
  }

  /** Another gateway, or a receipt, was ahead of this pod. Above chat's own head the cursor is nobody's. */
  async #beyond(channel: BoardChannel, cursor: Cursor): Promise<Opening> {
    const truth = await this.#log.head(channel.board);
    if (truth.epoch !== cursor.epoch) return this.#reset(channel, cursor, 'epoch');
    if (cursor.seq > truth.head) return this.#reset(channel, cursor, 'unknown');
    return resumedFrom(channel, cursor.seq, 0, cursor.seq);
  }

  async #newest(channel: BoardChannel, wanted: FilterSet, count: number): Promise<Opening> {
    const target = channel.passed;
    if (count === 0) return resumedFrom(channel, target, 0);
    const inRing = newestInRing(channel, { wanted, upTo: target, count });
    if (inRing.found === count || channel.ring.oldest === 1) {
      return resumedFrom(channel, inRing.before, inRing.found, target);
    }
    const events = await this.#log.newest(channel.board, { wanted, upTo: target, count });
    const first = events[0];
    return resumedFrom(channel, first === undefined ? target : first.seq - 1, events.length, target);
  }

  #reset(channel: BoardChannel, requested: Cursor | string | null, reason: ResetReason): Opening {
    const { epoch, head, passed } = channel;
    const isCursor = typeof requested === 'object' && requested !== null;
    const text = isCursor ? formatCursor(requested.epoch, requested.seq) : requested;
    const reset = { requested: text, reason, oldest: formatCursor(epoch, 0), head };
    return { kind: 'reset', position: passed, target: passed, reset };
  }
}

function requestedBy(start: StreamStart): Cursor | null {
  return start.kind === 'after' ? start.cursor : null;
}

function resumedFrom(channel: BoardChannel, position: number, replayed: number, target = channel.passed): Opening {
  const { epoch } = channel;
  const from = formatCursor(epoch, position);
  return { kind: 'resumed', position, target, resumed: { from, head: formatCursor(epoch, target), replayed, epoch } };
}

interface RingQuery {
  wanted: FilterSet;
  upTo: number;
}

function countInRing(channel: BoardChannel, query: RingQuery & { after: number; max: number }): number {
  let count = 0;
  for (let seq = query.after + 1; seq <= query.upTo && count < query.max; seq += 1) {
    const event = channel.ring.get(seq);
    if (event !== undefined && channel.shows(event, query.wanted)) count += 1;
  }
  return count;
}

/** `before` is the position just before the first of them. */
function newestInRing(channel: BoardChannel, query: RingQuery & { count: number }): { found: number; before: number } {
  let found = 0;
  let before = query.upTo;
  for (let seq = query.upTo; seq >= channel.ring.oldest && found < query.count; seq -= 1) {
    const event = channel.ring.get(seq);
    if (event === undefined || !channel.shows(event, query.wanted)) continue;
    found += 1;
    before = seq - 1;
  }
  return { found, before };
}
