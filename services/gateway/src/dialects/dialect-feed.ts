import { formatCursor, numericEventId, redactedBy, type RedactedEvent, type StoredEvent } from '@boardwire/contracts';
import type { DialectEvent, DialectStream } from '@boardwire/dialects';
import type { BoardChannel } from '../delivery/board-channel.ts';
import type { LogEvent } from '../delivery/board-ring.ts';
import type { FilterSet } from '../delivery/filter-set.ts';
import { asHttpChunk, type Framing } from '../delivery/http-chunk.ts';
import type { GroupEncoder } from '../delivery/live-group.ts';

/**
 * A cumulative wire sends its whole list with each event: without this, every post of somebody who fills the list with
 * events of the largest size would cost everybody 13 MB.
 */
const listBytesMax = 1024 * 1024;

interface Kept {
  event: DialectEvent;
  bytes: number;
}

export interface DialectFeedOptions {
  stream: DialectStream;
  formatKey: string;
  framing: Framing;
  channel: BoardChannel;
  wanted: FilterSet;
  epochOrdinal: number;
}

/**
 * What all connections of one dialect stream with the same board, subjects and format share: the events its encoder
 * works on, and every byte that comes out. It lives as long as somebody is connected.
 */
export class DialectFeed implements GroupEncoder {
  readonly #options: DialectFeedOptions;
  readonly #max: number;
  #events: Kept[] = [];
  #bytes = 0;
  /** The seq up to which `#events` is complete. */
  #position: number;

  constructor(options: DialectFeedOptions, start: { events: readonly LogEvent[]; position: number }) {
    this.#options = options;
    const { mode, snapshot } = options.stream;
    this.#max = Math.max(snapshot.last, mode.kind === 'cumulative' ? mode.max : 0);
    this.#position = start.position;
    this.#keep(start.events);
  }

  /** The bytes of one pass for everybody who is live. */
  encode(_epoch: string, events: readonly LogEvent[]): Buffer {
    this.#keep(events.filter(({ seq }) => seq > this.#position));
    this.#position = Math.max(this.#position, events.at(-1)?.seq ?? 0);
    const { mode } = this.#options.stream;
    if (mode.kind === 'delta') return this.#encoded(events.map((event) => this.#dialectEvent(event)));
    return this.#encoded(mode.kind === 'latest' ? latestOf(this.#shown()) : this.#shown());
  }

  /** Takes what it lacks up to the channel's `passed`; false when the ring no longer reaches back to the feed. */
  catchUp(): boolean {
    const { channel, wanted } = this.#options;
    if (!channel.ring.covers(this.#position)) return false;
    const missed: LogEvent[] = [];
    for (let seq = this.#position + 1; seq <= channel.passed; seq += 1) {
      const event = channel.ring.get(seq);
      if (event !== undefined && channel.shows(event, wanted)) missed.push(event);
    }
    this.#keep(missed);
    this.#position = channel.passed;
    return true;
  }

  snapshot(): Buffer {
    const { snapshot, mode } = this.#options.stream;
    return this.#encoded(mode.kind === 'latest' ? latestOf(this.#shown()) : this.#shown().slice(-snapshot.last));
  }

  #encoded(events: readonly DialectEvent[]): Buffer {
    const { stream, formatKey, framing } = this.#options;
    return chunkOf(framing, stream.encode(events, formatKey));
  }

  #keep(events: readonly LogEvent[]): void {
    for (const one of events) {
      const event = this.#dialectEvent(one);
      const gone = redactedBy(event.event);
      if (gone !== undefined) {
        this.#forget(gone);
        continue;
      }
      this.#events.push({ event, bytes: one.bytes.length });
      this.#bytes += one.bytes.length;
    }
    let gone = 0;
    while (this.#events.length - gone > this.#max || (this.#bytes > listBytesMax && this.#events.length - gone > 1)) {
      this.#bytes -= this.#events[gone]!.bytes;
      gone += 1;
    }
    if (gone > 0) this.#events = this.#events.slice(gone);
  }

  /** The next list, which the notice brings about, is without it. */
  #forget({ origin, source, id }: RedactedEvent): void {
    this.#events = this.#events.filter(({ event: { event }, bytes }) => {
      const isIt = event.id === id && event.source === source && event.origin === origin;
      if (isIt) this.#bytes -= bytes;
      return !isIt;
    });
  }

  /** A subject that was closed since is not shown again. */
  #shown(): DialectEvent[] {
    const { channel, wanted } = this.#options;
    const isShown = (subject: string) => wanted.matchesSubject(subject, channel.access.isOpen(subject));
    return this.#events.map(({ event }) => event).filter(({ event }) => isShown(event.subject));
  }

  /** An older wire has another shape, so here, and only here, the gateway reads a payload. */
  #dialectEvent({ seq, bytes }: LogEvent): DialectEvent {
    const { channel, epochOrdinal } = this.#options;
    const event = JSON.parse(bytes.toString()) as StoredEvent;
    return { id: numericEventId(epochOrdinal, seq), cursor: formatCursor(channel.epoch, seq), event };
  }
}

export function chunkOf(framing: Framing, text: string): Buffer {
  const bytes = Buffer.from(text);
  return asHttpChunk(framing, bytes.length, (target, start) => bytes.copy(target, start));
}

function latestOf(events: readonly DialectEvent[]): DialectEvent[] {
  const bySubject = new Map<string, DialectEvent>();
  for (const event of events) {
    bySubject.delete(event.event.subject);
    bySubject.set(event.event.subject, event);
  }
  return [...bySubject.values()];
}
