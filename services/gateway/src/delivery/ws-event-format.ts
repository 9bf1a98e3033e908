import {
  controlEvent,
  formatCursor,
  withCursor,
  type ControlName,
  type Reconnect,
  type RefusedEvent,
  type Reset,
  type Resumed,
  type Stalled,
} from '@boardwire/contracts';
import { randomUUID } from 'node:crypto';
import type { LogEvent } from './board-ring.ts';
import type { EphemeralEvent } from './ephemeral-lane.ts';
import type { WireFormat } from './wire-format.ts';
import { textFrame } from './ws-frame.ts';

type Said<N extends ControlName> = Parameters<typeof controlEvent<N>>[1]['data'];

/** Messages of `cloudevents.json`: stored events with their cursor in front, and events in which the server speaks. */
export class WsEventFormat implements WireFormat {
  readonly key: string;
  readonly #board: string;

  constructor(board: string) {
    this.#board = board;
    this.key = `wse:${board}`;
  }

  events(epoch: string, events: readonly LogEvent[]): Buffer {
    const messages = events.map(({ seq, bytes }) => withCursor(formatCursor(epoch, seq), bytes.toString()));
    return Buffer.concat(messages.map((message) => textFrame(Buffer.from(message))));
  }

  ephemeral(events: readonly EphemeralEvent[]): Buffer {
    return Buffer.concat(events.map(({ bytes }) => textFrame(bytes)));
  }

  resumed(resumed: Resumed): Buffer {
    return this.#said('resumed', resumed, resumed.from);
  }

  reset(reset: Reset): Buffer {
    return this.#said('reset', reset, reset.head);
  }

  caughtUp(cursor: string): Buffer {
    return this.#said('caught_up', { head: cursor }, cursor);
  }

  skipped(count: number): Buffer {
    return this.#said('skipped', { count });
  }

  heartbeat(cursor: string | undefined): Buffer {
    return this.#said('heartbeat', {}, cursor);
  }

  waiting(): Buffer {
    return this.#said('waiting', {});
  }

  stalled(stalled: Stalled): Buffer {
    return this.#said('stalled', stalled);
  }

  live(): Buffer {
    return this.#said('live', {});
  }

  reconnect(reconnect: Reconnect): Buffer {
    return this.#said('reconnect', reconnect);
  }

  revoked(): Buffer {
    return this.#said('revoked', {});
  }

  refused(refused: RefusedEvent): Buffer {
    return this.#said('refused', refused);
  }

  #said<N extends ControlName>(name: N, data: Said<N>, cursor?: string): Buffer {
    const at = { id: randomUUID(), time: new Date().toISOString() };
    const text = controlEvent(name, { board: this.#board, data, ...at, ...(cursor === undefined ? {} : { cursor }) });
    return textFrame(Buffer.from(text));
  }
}
