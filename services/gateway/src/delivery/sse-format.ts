import {
  formatCursor,
  sseBlock,
  sseComment,
  sseEventName,
  type Reconnect,
  type Reset,
  type Resumed,
  type Stalled,
} from '@boardwire/contracts';
import type { LogEvent } from './board-ring.ts';
import type { EphemeralEvent } from './ephemeral-lane.ts';
import { asHttpChunk, type Framing } from './http-chunk.ts';
import type { WireFormat } from './wire-format.ts';

export interface SseVariant {
  /** Whether each event names its type in an `event:` line. */
  isNamed: boolean;
  framing: Framing;
}

const blockEnd = '\n\n';

/** Blocks of the event stream format, framed for the socket. */
export class SseFormat implements WireFormat {
  readonly key: string;
  readonly #variant: SseVariant;

  constructor(variant: SseVariant) {
    this.#variant = variant;
    this.key = `sse:${variant.framing}:${variant.isNamed ? 'named' : 'plain'}`;
  }

  events(epoch: string, events: readonly LogEvent[]): Buffer {
    return this.#blocks(
      events,
      events.map((event) => `id: ${formatCursor(epoch, event.seq)}\n${this.#head(event)}`),
    );
  }

  ephemeral(events: readonly EphemeralEvent[]): Buffer {
    return this.#blocks(
      events,
      events.map((event) => this.#head(event)),
    );
  }

  #blocks(events: readonly EphemeralEvent[], heads: readonly string[]): Buffer {
    let length = 0;
    for (const [at, event] of events.entries()) length += heads[at]!.length + event.bytes.length + blockEnd.length;
    return asHttpChunk(this.#variant.framing, length, (target, start) => {
      let offset = start;
      for (const [at, event] of events.entries()) {
        offset += target.write(heads[at]!, offset, 'latin1');
        offset += event.bytes.copy(target, offset);
        offset += target.write(blockEnd, offset, 'latin1');
      }
    });
  }

  /** Any finished text: opening lines, comments, heartbeats. */
  text(text: string): Buffer {
    const bytes = Buffer.from(text);
    return asHttpChunk(this.#variant.framing, bytes.length, (target, start) => bytes.copy(target, start));
  }

  resumed(resumed: Resumed): Buffer {
    return this.text(sseBlock({ id: resumed.from, event: 'resumed', data: JSON.stringify(resumed) }));
  }

  reset(reset: Reset): Buffer {
    return this.text(sseBlock({ id: reset.head, event: 'reset', data: JSON.stringify(reset) }));
  }

  caughtUp(cursor: string): Buffer {
    return this.text(sseBlock({ id: cursor, event: 'caught_up', data: JSON.stringify({ head: cursor }) }));
  }

  state(cursor: string, answer: string): Buffer {
    return this.text(sseBlock({ id: cursor, event: 'state', data: answer }));
  }

  skipped(count: number): Buffer {
    return this.text(sseBlock({ event: 'skipped', data: JSON.stringify({ count }) }));
  }

  waiting(): Buffer {
    return this.text(sseComment('waiting for a turn'));
  }

  stalled(stalled: Stalled): Buffer {
    return this.text(sseBlock({ event: 'stalled', data: JSON.stringify(stalled) }));
  }

  live(): Buffer {
    return this.text(sseBlock({ event: 'live', data: '{}' }));
  }

  reconnect(reconnect: Reconnect): Buffer {
    const { afterMs } = reconnect;
    return this.text(sseBlock({ retryMs: afterMs, event: 'reconnect', data: JSON.stringify(reconnect) }));
  }

  revoked(): Buffer {
    return this.text(sseBlock({ event: 'revoked', data: '{}' }));
  }

  /** Cursor and type are ASCII by their grammar, so their length in bytes is their length. */
  #head({ type }: EphemeralEvent): string {
    return this.#variant.isNamed ? `event: ${sseEventName(type)}\ndata: ` : 'data: ';
  }
}
