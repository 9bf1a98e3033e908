import {
  ephemeralFrame,
  eventFrame,
  formatCursor,
  type Reconnect,
  type Reset,
  type Resumed,
  type ServerFrame,
  type Stalled,
} from '@boardwire/contracts';
import type { LogEvent } from './board-ring.ts';
import type { EphemeralEvent } from './ephemeral-lane.ts';
import { putTextFrameHead, textFrame, textFrameHeadLength } from './ws-frame.ts';
import type { WireFormat } from './wire-format.ts';

/** Frames of `boardwire.v1` for one name of a subscription; clients that use the same name share the bytes. */
export class WsFormat implements WireFormat {
  readonly key: string;
  readonly #sub: string;
  /** What stands around a cursor and an event in an `event` frame. */
  readonly #parts: readonly [Buffer, Buffer, Buffer];
  /** The same around an ephemeral event, which has no cursor. */
  readonly #ephemeralParts: readonly [Buffer, Buffer];

  constructor(sub: string) {
    this.#sub = sub;
    this.key = `ws:${sub}`;
    // Marks that JSON escapes, so that no name can hold them.
    const [before, rest] = eventFrame(JSON.stringify(sub), '\u0001', '\u0002').split('\u0001');
    const [between, after] = rest!.split('\u0002');
    this.#parts = [Buffer.from(before!), Buffer.from(between!), Buffer.from(after!)];
    const [head, tail] = ephemeralFrame(JSON.stringify(sub), '\u0002').split('\u0002');
    this.#ephemeralParts = [Buffer.from(head!), Buffer.from(tail!)];
  }

  events(epoch: string, events: readonly LogEvent[]): Buffer {
    const cursors = events.map((event) => formatCursor(epoch, event.seq));
    const [before, between, after] = this.#parts;
    const around = before.length + between.length + after.length;
    const lengths = events.map((event, at) => around + cursors[at]!.length + event.bytes.length);
    const total = lengths.reduce((sum, length) => sum + length + textFrameHeadLength(length), 0);
    const target = Buffer.allocUnsafe(total);
    let offset = 0;
    for (const [at, event] of events.entries()) {
      offset = putTextFrameHead(target, offset, lengths[at]!);
      offset += before.copy(target, offset);
      offset += target.write(cursors[at]!, offset, 'latin1');
      offset += between.copy(target, offset);
      offset += event.bytes.copy(target, offset);
      offset += after.copy(target, offset);
    }
    return target;
  }

  ephemeral(events: readonly EphemeralEvent[]): Buffer {
    const [before, after] = this.#ephemeralParts;
    return Buffer.concat(events.map(({ bytes }) => textFrame(Buffer.concat([before, bytes, after]))));
  }

  resumed(resumed: Resumed): Buffer {
    return frameOf({ type: 'resumed', sub: this.#sub, cursor: resumed.from, ...resumed });
  }

  reset(reset: Reset): Buffer {
    return frameOf({ type: 'reset', sub: this.#sub, cursor: reset.head, ...reset });
  }

  caughtUp(cursor: string): Buffer {
    return frameOf({ type: 'caught_up', sub: this.#sub, cursor, head: cursor });
  }

  state(cursor: string, answer: string): Buffer {
    const head = JSON.stringify({ type: 'state', sub: this.#sub, cursor }).slice(0, -1);
    return textFrame(Buffer.from(`${head},"answer":${answer}}`));
  }

  skipped(count: number): Buffer {
    return frameOf({ type: 'skipped', sub: this.#sub, count });
  }

  waiting(): Buffer {
    return frameOf({ type: 'waiting', sub: this.#sub });
  }

  stalled(stalled: Stalled): Buffer {
    return frameOf({ type: 'stalled', ...stalled });
  }

  live(): Buffer {
    return frameOf({ type: 'live' });
  }

  reconnect(reconnect: Reconnect): Buffer {
    return frameOf({ type: 'reconnect', ...reconnect });
  }

  revoked(): Buffer {
    return frameOf({ type: 'revoked' });
  }
}

/** A server frame as bytes for the socket. */
export function frameOf(frame: ServerFrame): Buffer {
  return textFrame(Buffer.from(JSON.stringify(frame)));
}
