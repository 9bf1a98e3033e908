import {
  formatCursor,
  limits,
  parseCursor,
  type Cursor,
  type Reset,
  type ResetReason,
  type Resumed,
} from '@boardwire/contracts';
import type { BoardChannel } from './board-channel.ts';
import type { BoardLog, CountQuery } from './board-log.ts';
import type { FilterSet } from './filter-set.ts';
import { historyLink } from './history-link.ts';
import type { RingFiller } from './ring-filler.ts';
import { isInRing } from './replay-source.ts';

/** Who ignores most of what there is gets fewer than asked for: so many pages are looked through. */
const newestPagesMax = 4;

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
  | { kind: 'resumed'; epoch: string; position: number; target: number; resumed: Resumed }
  | { kind: 'reset'; epoch: string; position: number; target: number; reset: Reset };

export interface StartQuery {
  channel: BoardChannel;
  wanted: FilterSet;
  start: StreamStart;
  /** The state that comes first: a stream without a cursor goes on from there. */
  at?: { epoch: string; head: number } | undefined;
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
  readonly #filler: RingFiller;
  readonly #replayEventsMax: number;

  constructor(log: BoardLog, filler: RingFiller, replayEventsMax: number) {
    this.#log = log;
    this.#filler = filler;
    this.#replayEventsMax = replayEventsMax;
  }

  async plan(query: StartQuery): Promise<Opening> {
    const { channel, start } = query;
    const { epoch } = channel;
    const head = await channel.arrivedHead();
    const opening = channel.epoch === epoch ? await this.#plan(query, head) : undefined;
    if (opening !== undefined && channel.epoch === epoch) return atState(opening, query.at);
    // The log started again while it was read: what was planned names positions that are gone. The cursor may be one of
    // the new epoch, from a gateway that heard of it earlier.
    const isLost = start.kind === 'after' && start.cursor.epoch !== channel.epoch;
    return isLost ? reset(channel, channel.head, { requested: start, reason: 'epoch' }) : this.plan(query);
  }

  async #plan({ channel, wanted, start, at }: StartQuery, head: number): Promise<Opening> {
    const { epoch } = channel;
    switch (start.kind) {
      case 'live':
        if (at?.epoch === epoch) {
          return this.#replay(channel, Math.max(head, at.head), { wanted, start, after: at.head });
        }
        return resumed(epoch, { position: head, head, replayed: 0 });
      case 'unreadable':
        return reset(channel, head, { requested: start, reason: 'unknown' });
      case 'last':
        return this.#newest(channel, head, { wanted, count: start.count });
      case 'beginning':
        return this.#replay(channel, head, { wanted, start, after: Math.min(channel.oldest - 1, head) });
      case 'after':
        return this.#after(channel, head, { wanted, start });
    }
  }

  async #after(channel: BoardChannel, here: number, { wanted, start }: AfterQuery): Promise<Opening> {
    const { cursor } = start;
    const head = cursor.epoch === channel.epoch && cursor.seq > here ? await this.#trueHead(channel) : here;
    if (cursor.epoch !== channel.epoch) return reset(channel, head, { requested: start, reason: 'epoch' });
    if (cursor.seq > head) return reset(channel, head, { requested: start, reason: 'unknown' });
    if (cursor.seq < channel.oldest - 1) return reset(channel, head, { requested: start, reason: 'pruned' });
    return this.#replay(channel, head, { wanted, start, after: cursor.seq });
  }

  /** Another gateway may be ahead of this one. Above chat's own head a cursor is nobody's. */
  async #trueHead(channel: BoardChannel): Promise<number> {
    const before = channel.epoch;
    const { epoch, head } = await this.#log.head(channel.board);
    if (epoch !== before) await channel.whenLeft(before);
    channel.noteHead(epoch, head);
    return channel.head;
  }

  async #replay(channel: BoardChannel, head: number, { wanted, start, after }: ReplayQuery): Promise<Opening> {
    const { epoch } = channel;
    await this.#filler.prepare(channel, after);
    const query = { wanted, after, upTo: head, max: this.#replayEventsMax + 1 };
    const replayed = isInRing(channel, query) ? countInRing(channel, query) : await this.#count(channel, query);
    if (replayed > this.#replayEventsMax) {
      const history = historyLink(channel.board, { epoch, seq: after }, wanted);
      return reset(channel, head, { requested: start, reason: 'too_far', history });
    }
    return resumed(epoch, { position: after, head, replayed });
  }

  async #count(channel: BoardChannel, query: CountQuery): Promise<number> {
    if (query.after === query.upTo) return 0;
    const { epoch } = channel;
    const answer = await this.#log.count(channel.board, query);
    // Counted among others' events: the plan that this is for ends with the epoch.
    if (answer.epoch !== epoch) await channel.whenLeft(epoch);
    return answer.count;
  }

  async #newest(channel: BoardChannel, head: number, query: { wanted: FilterSet; count: number }): Promise<Opening> {
    const { epoch, ring } = channel;
    const { wanted, count } = query;
    if (count === 0) return resumed(epoch, { position: head, head, replayed: 0 });
    if (head <= channel.passed) {
      const { found, before } = newestInRing(channel, { wanted, upTo: head, count });
      if (found === count || ring.oldest === 1) return resumed(epoch, { position: before, head, replayed: found });
    }
    const seqs = await this.#newestOfLog(channel, head, query);
    return resumed(epoch, { position: seqs[0] === undefined ? head : seqs[0] - 1, head, replayed: seqs.length });
  }

  /** The log knows nothing of ignores: what they leave out, older ones make up for. */
  async #newestOfLog(
    channel: BoardChannel,
    head: number,
    { wanted, count }: { wanted: FilterSet; count: number },
  ): Promise<number[]> {
    const { epoch } = channel;
    const [pages, size] = wanted.ignored === undefined ? [1, count] : [newestPagesMax, limits.historyPageMax];
    let seqs: number[] = [];
    for (let page = 1, upTo = head; page <= pages && seqs.length < count; page += 1) {
      // oxlint-disable-next-line no-await-in-loop -- each ends where the one before begins
      const { epoch: found, events } = await this.#log.newest(channel.board, { wanted, upTo, count: size });
      // oxlint-disable-next-line no-await-in-loop -- what was planned is planned again
      if (found !== epoch) await channel.whenLeft(epoch);
      const shown = events.filter((event) => event.removed || !wanted.ignores(event));
      seqs = [...shown.map(({ seq }) => seq), ...seqs];
      if (events.length < size || found !== epoch) break;
      upTo = events[0]!.seq - 1;
    }
    return seqs.slice(-count);
  }
}

interface AfterQuery {
  wanted: FilterSet;
  start: Extract<StreamStart, { kind: 'after' }>;
}

interface ReplayQuery {
  wanted: FilterSet;
  start: StreamStart;
  after: number;
}

function resumed(epoch: string, at: { position: number; head: number; replayed: number }): Opening {
  const { position, head, replayed } = at;
  const block = { from: formatCursor(epoch, position), head: formatCursor(epoch, head), replayed, epoch };
  return { kind: 'resumed', epoch, position, target: head, resumed: block };
}

function reset(
  channel: BoardChannel,
  head: number,
  why: { requested: StreamStart; reason: ResetReason; history?: string },
): Opening {
  const { epoch } = channel;
  const block = {
    requested: requestedBy(why.requested),
    reason: why.reason,
    oldest: formatCursor(epoch, channel.oldest - 1),
    head: formatCursor(epoch, head),
    ...(why.history === undefined ? {} : { history: why.history }),
  };
  return { kind: 'reset', epoch, position: head, target: head, reset: block };
}

/** Whoever starts over does so from the state that comes first. */
function atState(opening: Opening, at: StartQuery['at']): Opening {
  if (opening.kind === 'resumed' || at?.epoch !== opening.epoch) return opening;
  const head = formatCursor(at.epoch, at.head);
  return { ...opening, position: at.head, target: at.head, reset: { ...opening.reset, head } };
}

function requestedBy(start: StreamStart): string | null {
  if (start.kind === 'unreadable') return start.requested;
  return start.kind === 'after' ? formatCursor(start.cursor.epoch, start.cursor.seq) : null;
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
