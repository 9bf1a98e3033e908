import type { RingBudget } from './ring-budget.ts';

/** An event as the gateway carries it: the payload stays the bytes that chat stored. */
export interface LogEvent {
  seq: number;
  subject: string;
  type: string;
  /** Of class `state`: a newer one of its subject may take its place. */
  isState: boolean;
  /** Stored event JSON; empty when the event was removed. */
  bytes: Buffer;
  committedMs: number;
  removed: boolean;
}

export interface RingBounds {
  eventsMax: number;
  bytesMax: number;
  /** What all rings of the pod share. */
  budget?: RingBudget | undefined;
}

/** What an entry costs beside its bytes. */
const entryBytes = 200;

/**
 * The newest events of one board, without hole, bounded in events and bytes. The slot of a seq is its remainder, so
 * reading and writing cost the same at any size. Holds `oldest … last`; empty means `oldest = last + 1`.
 */
export class BoardRing {
  readonly #bounds: RingBounds;
  readonly #slots: (LogEvent | undefined)[] = [];
  #oldest: number;
  #last: number;
  #bytes = 0;
  #isClosed = false;

  /** @param last the position that the ring starts after. */
  constructor(last: number, bounds: RingBounds) {
    this.#bounds = bounds;
    this.#last = last;
    this.#oldest = last + 1;
  }

  get oldest(): number {
    return this.#oldest;
  }

  get last(): number {
    return this.#last;
  }

  get size(): number {
    return this.#last - this.#oldest + 1;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** True when everything after `position` is here. */
  covers(position: number): boolean {
    return position + 1 >= this.#oldest;
  }

  /** Whether so many older events could be put in front, going by their number. */
  hasRoomFor(events: number): boolean {
    return this.size + events <= this.#bounds.eventsMax;
  }

  /** Bytes of events that could still be put in front. */
  get bytesFree(): number {
    const { bytesMax, budget } = this.#bounds;
    return Math.max(0, Math.min(bytesMax - this.#bytes, budget?.bytesFree ?? bytesMax));
  }

  /** Takes the next seq and lets go of the oldest ones over the bounds. */
  append(event: LogEvent): void {
    if (event.seq !== this.#last + 1) throw new Error(`ring expects seq ${this.#last + 1}, got ${event.seq}`);
    if (this.size === this.#bounds.eventsMax) this.#dropOldest();
    this.#put(event);
    this.#last = event.seq;
    while (this.#bytes > this.#bounds.bytesMax && this.size > 1) this.#dropOldest();
  }

  /** Puts an older event in front, when there is room; the way a new pod fills its ring from the log. */
  prepend(event: LogEvent): boolean {
    if (event.seq !== this.#oldest - 1) throw new Error(`ring expects seq ${this.#oldest - 1}, got ${event.seq}`);
    const isFull = this.#isClosed || this.size >= this.#bounds.eventsMax;
    if (isFull || weight(event) > this.bytesFree) return false;
    this.#put(event);
    this.#oldest = event.seq;
    return true;
  }

  get(seq: number): LogEvent | undefined {
    return seq < this.#oldest || seq > this.#last ? undefined : this.#slots[seq % this.#bounds.eventsMax];
  }

  /** Lets go of everything before `seq`. */
  dropBefore(seq: number): void {
    while (this.#oldest < seq && this.#oldest <= this.#last) this.#dropOldest();
  }

  /** Lets go of the oldest events until so many bytes are free. @returns how many went */
  shrink(bytes: number): number {
    const before = this.#oldest;
    const enough = this.#bytes - bytes;
    while (this.#bytes > enough && this.#oldest <= this.#last) this.#dropOldest();
    return this.#oldest - before;
  }

  /** Tells the pod that new events have come. */
  touched(): void {
    this.#bounds.budget?.touched(this);
  }

  /** Another takes its place, or nobody does. */
  close(): void {
    this.#isClosed = true;
    this.shrink(this.#bytes);
    this.#bounds.budget?.forget(this);
  }

  /** Forgets an event's bytes where they stand: readers get the seq without data. */
  redact(seq: number): void {
    const event = this.get(seq);
    if (event === undefined) return;
    this.#count(-event.bytes.length);
    this.#slots[seq % this.#bounds.eventsMax] = withoutContent(event);
  }

  #put(event: LogEvent): void {
    this.#slots[event.seq % this.#bounds.eventsMax] = event;
    this.#count(weight(event));
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#bounds.budget?.count(bytes);
  }

  #dropOldest(): void {
    const at = this.#oldest % this.#bounds.eventsMax;
    const event = this.#slots[at];
    if (event !== undefined) this.#count(-weight(event));
    this.#slots[at] = undefined;
    this.#oldest += 1;
  }
}

/** What is left of an event whose content was removed. */
export function withoutContent(event: LogEvent): LogEvent {
  return { ...event, bytes: Buffer.alloc(0), removed: true };
}

function weight(event: LogEvent): number {
  return event.bytes.length + entryBytes;
}
