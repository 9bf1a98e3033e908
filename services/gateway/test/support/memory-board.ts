import { Writable } from 'node:stream';
import type { Socket } from 'node:net';
import { BoardChannel } from '../../src/delivery/board-channel.ts';
import type { BoardLog } from '../../src/delivery/board-log.ts';
import type { LogEvent } from '../../src/delivery/board-ring.ts';
import type { PassObserver } from '../../src/delivery/fan-out.ts';
import type { FilterSet } from '../../src/delivery/filter-set.ts';

export const epoch = 'epoch001';

/** A stored event, of the length that chat's are. */
export function logEvent(seq: number, subject: string, type = 'note', isState = false, author?: string): LogEvent {
  const by = author === undefined ? {} : { author, origin: 'here' };
  const bytes = Buffer.from(JSON.stringify({ specversion: '1.0', id: `e${seq}`, type, subject, data: { seq }, ...by }));
  return { seq, subject, type, isState, bytes, committedMs: Date.now(), removed: false };
}

/** The log as chat would answer it, over an array. */
export class MemoryLog implements BoardLog {
  readonly events: LogEvent[] = [];
  pageMax = 20;
  /** The epoch that it tells a state of. */
  epoch = epoch;

  add(subject: string, type?: string, isState?: boolean, author?: string): LogEvent {
    const event = logEvent(this.events.length + 1, subject, type, isState, author);
    this.events.push(event);
    return event;
  }

  async head(): Promise<{ epoch: string; head: number }> {
    await turn();
    return { epoch, head: this.events.length };
  }

  async after(_board: string, query: { wanted: FilterSet; after: number; upTo: number }) {
    await turn();
    const all = this.#between(query);
    const events = all.slice(0, this.pageMax);
    return { epoch, events, to: all.length > events.length ? events.at(-1)!.seq : query.upTo };
  }

  async count(_board: string, query: { wanted: FilterSet; after: number; upTo: number; max: number }) {
    await turn();
    return { epoch, count: Math.min(query.max, this.#between(query).length) };
  }

  async newest(_board: string, query: { wanted: FilterSet; upTo: number; count: number }) {
    await turn();
    return { epoch, events: this.#between({ ...query, after: 0 }).slice(-query.count) };
  }

  async state(board: string, wanted: FilterSet) {
    const head = this.events.length;
    await turn();
    const newest = new Map<string, LogEvent>();
    for (const event of this.#between({ wanted, after: 0, upTo: head })) {
      if (!event.isState) continue;
      newest.delete(event.subject);
      newest.set(event.subject, event);
    }
    const items = [...newest.values()].map(({ seq, subject, type, bytes, committedMs }) => {
      return { seq, subject, type, class: 'state' as const, committedMs, datahash: '', body: bytes.toString() };
    });
    return { board, epoch: this.epoch, head, items, more: false };
  }

  async range(_board: string, { from, to }: { from: number; to: number }) {
    await turn();
    return { epoch, events: this.events.slice(from - 1, Math.min(to, from - 1 + this.pageMax)) };
  }

  #between({ wanted, after, upTo }: { wanted: FilterSet; after: number; upTo: number }): LogEvent[] {
    return this.events.filter(
      (event) => event.seq > after && event.seq <= upTo && wanted.matches(event.subject, event.type, true),
    );
  }
}

export const quietPasses: PassObserver = {
  onPass: () => {},
  onEphemeralPass: () => {},
  onEphemeralOverflow: () => {},
  onReadersFailed: () => {},
};

export function newChannel(
  head: number,
  ring = { eventsMax: 64, bytesMax: 1024 * 1024 },
  inEpoch = epoch,
): BoardChannel {
  return new BoardChannel({ board: 'events', epoch: inEpoch, head, ring, observer: quietPasses });
}

/** What a socket is to the outbox: takes bytes as fast as the test lets it. */
export class TestSocket extends Writable {
  text = '';
  #resume: (() => void) | undefined;
  isPaused = false;

  readonly #onData: ((bytes: Buffer) => void) | undefined;

  constructor(highWaterMark = 1024, onData?: (bytes: Buffer) => void) {
    super({ highWaterMark });
    this.#onData = onData;
  }

  setNoDelay(): this {
    return this;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (this.#onData === undefined) this.text += chunk.toString();
    else this.#onData(chunk);
    if (this.isPaused) this.#resume = done;
    else setImmediate(done);
  }

  unpause(): void {
    this.isPaused = false;
    this.#resume?.();
    this.#resume = undefined;
  }

  asSocket(): Socket {
    return this as unknown as Socket;
  }
}

export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
