import type { SyncBoard } from '@boardwire/contracts';
import type { FollowedEvent } from './followed-event.ts';

/**
 * What an event is to a board: `next` was taken over; `ahead` was kept until the hole before it is filled; `left` is
 * dropped because too much waits already, the log still has it; `other_epoch` belongs to another incarnation;
 * `not_ready` came before the board's position was known.
 */
export type Offer = 'next' | 'duplicate' | 'ahead' | 'left' | 'other_epoch' | 'not_ready';

/** How many events a follower holds, over all boards. At the bound live events are left for a later range read. */
export class Held {
  queued = 0;
  ahead = 0;

  constructor(readonly max: number) {}
}

/**
 * Where a follower stands on one board. Everything up to `received` has been taken over without a hole and waits in
 * `queue` or has been handed over; what came too early waits in `ahead` until the hole before it is filled.
 */
export class BoardTrack {
  readonly board: string;
  epoch: string;
  /** Last seq taken over. */
  received = 0;
  /** Last seq that the handler is done with. */
  handed = 0;
  /** Highest seq known to exist. */
  head: number;
  /** Taken over, in seq order, not yet handed over. */
  queue: FollowedEvent[] = [];
  /** What chat last said about it. */
  announced: SyncBoard;
  /** Its position is known: it has read its mark, or stands at the head it was first seen with. */
  isReady = false;
  /** Epochs that it has stood in. */
  readonly epochs = new Set<string>();
  /** Somebody is finding its position. */
  isPreparing = false;
  /** The board was removed; nothing may be emitted any more. */
  isGone = false;
  /** Nothing is tried before this; milliseconds, monotonic. */
  retryAt = 0;
  failures = 0;
  /** When it was seen that events are missing; milliseconds, monotonic, 0 while none are. */
  holeSince = 0;
  readonly #ahead = new Map<number, FollowedEvent>();

  constructor(
    announced: SyncBoard,
    private readonly held: Held,
  ) {
    this.board = announced.slug;
    this.announced = announced;
    this.epoch = announced.epoch;
    this.head = announced.head;
  }

  get isBehind(): boolean {
    return this.head > this.received;
  }

  get aheadCount(): number {
    return this.#ahead.size;
  }

  /** Takes an event over when it is the next one, or keeps it for later. */
  offer(event: FollowedEvent): Offer {
    if (event.epoch !== this.epoch) return 'other_epoch';
    if (event.seq > this.head) this.head = event.seq;
    if (!this.isReady) return 'not_ready';
    if (event.seq <= this.received) return 'duplicate';
    const isFull = this.held.queued >= this.held.max && this.queue.length > 0;
    if (event.seq !== this.received + 1) return this.#keepAhead(event);
    if (isFull && event.streamed) return 'left';
    this.#take(event);
    if (this.#ahead.size > 0) this.#joinAhead();
    return 'next';
  }

  /** The last seq before the first event that is already here, or the head. */
  holeEnd(): number {
    let end = this.head;
    for (const seq of this.#ahead.keys()) if (seq <= end) end = seq - 1;
    return end;
  }

  /** The handler is done with the first events of the queue. */
  removeHanded(count: number): void {
    const handed = count === this.queue.length ? this.queue : this.queue.slice(0, count);
    this.queue = handed === this.queue ? [] : this.queue.slice(count);
    this.held.queued -= handed.length;
    this.handed = handed.at(-1)?.seq ?? this.handed;
  }

  /** The log has let go of everything before `oldest`: it goes on from there, without what it never got. */
  skipTo(oldest: number): void {
    if (oldest <= this.received + 1) return;
    this.received = oldest - 1;
    if (this.#ahead.size > 0) this.#joinAhead();
  }

  /** Starts over behind a position, with nothing waiting. */
  standAt(position: { epoch: string; seq: number; head: number }): void {
    this.forget();
    this.epoch = position.epoch;
    this.received = position.seq;
    this.handed = position.seq;
    this.head = Math.max(position.head, position.seq);
    this.isReady = true;
    this.epochs.add(position.epoch);
  }

  /** Drops all that waits. */
  forget(): void {
    this.held.ahead -= this.#ahead.size;
    this.held.queued -= this.queue.length;
    this.#ahead.clear();
    this.queue = [];
    this.holeSince = 0;
  }

  #take(event: FollowedEvent): void {
    this.received = event.seq;
    this.queue.push(event);
    this.held.queued += 1;
  }

  #keepAhead(event: FollowedEvent): Offer {
    if (this.#ahead.has(event.seq)) return 'duplicate';
    if (this.held.ahead >= this.held.max) return 'left';
    this.#ahead.set(event.seq, event);
    this.held.ahead += 1;
    return 'ahead';
  }

  /** Takes over what now follows without a hole, and forgets what a fill has brought already. */
  #joinAhead(): void {
    const before = this.#ahead.size;
    for (let next = this.#ahead.get(this.received + 1); next !== undefined;) {
      this.#ahead.delete(next.seq);
      this.#take(next);
      next = this.#ahead.get(this.received + 1);
    }
    for (const seq of this.#ahead.keys()) if (seq <= this.received) this.#ahead.delete(seq);
    this.held.ahead -= before - this.#ahead.size;
  }
}
