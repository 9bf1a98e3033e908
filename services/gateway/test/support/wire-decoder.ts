import { parseSseBlock } from '@boardwire/test-kit';

/** What a client was told, the same for every transport. */
export interface Told {
  kind: 'event' | 'resumed' | 'reset' | 'caught_up' | 'heartbeat' | 'other';
  /** The name of the subscription; event streams have one. */
  sub: string;
  cursor: string | undefined;
  /** The event, or what the block says. */
  body: Record<string, unknown>;
}

export interface WireDecoder {
  /** Whole blocks or frames in what has come so far; the rest waits, and is lost when the connection is cut. */
  push(bytes: Buffer): Told[];
}

/** Takes the chunks of HTTP/1.1 apart, then the blocks of the event stream. Apart from the gateway's encoder and the SDK. */
export class SseDecoder implements WireDecoder {
  #raw = Buffer.alloc(0);
  #text = '';
  readonly #isChunked: boolean;

  constructor(isChunked: boolean) {
    this.#isChunked = isChunked;
  }

  push(bytes: Buffer): Told[] {
    if (this.#isChunked) this.#unchunk(bytes);
    else this.#text += bytes.toString('latin1');
    const told: Told[] = [];
    for (let end = this.#text.indexOf('\n\n'); end >= 0; end = this.#text.indexOf('\n\n')) {
      const { id, event, data } = parseSseBlock(Buffer.from(this.#text.slice(0, end), 'latin1').toString());
      this.#text = this.#text.slice(end + 2);
      const body = data === undefined ? {} : (JSON.parse(data) as Record<string, unknown>);
      const kind = event === undefined ? (data === undefined ? 'heartbeat' : 'event') : nameOf(event);
      if (kind !== 'heartbeat' || id !== undefined) told.push({ kind, sub: '', cursor: id, body });
    }
    return told;
  }

  #unchunk(bytes: Buffer): void {
    this.#raw = Buffer.concat([this.#raw, bytes]);
    for (;;) {
      const lineEnd = this.#raw.indexOf('\r\n');
      if (lineEnd < 0) return;
      const length = Number.parseInt(this.#raw.toString('latin1', 0, lineEnd), 16);
      if (!(length > 0)) throw new Error(`no chunk: ${this.#raw.toString('latin1', 0, 40)}`);
      const end = lineEnd + 2 + length;
      if (this.#raw.length < end + 2) return;
      this.#text += this.#raw.toString('latin1', lineEnd + 2, end);
      this.#raw = this.#raw.subarray(end + 2);
    }
  }
}

/** Unmasked whole text frames, as a server sends them. */
export class WsDecoder implements WireDecoder {
  #raw = Buffer.alloc(0);

  push(bytes: Buffer): Told[] {
    this.#raw = Buffer.concat([this.#raw, bytes]);
    const told: Told[] = [];
    for (let payload = this.#take(); payload !== undefined; payload = this.#take()) told.push(...toldBy(payload));
    return told;
  }

  #take(): Buffer | undefined {
    const raw = this.#raw;
    if (raw.length < 2) return undefined;
    if (raw[0] !== 0x81) throw new Error(`no text frame: ${raw[0]}`);
    const short = raw[1]!;
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (raw.length < head) return undefined;
    const length = short < 126 ? short : short === 126 ? raw.readUInt16BE(2) : Number(raw.readBigUInt64BE(2));
    if (raw.length < head + length) return undefined;
    this.#raw = raw.subarray(head + length);
    return raw.subarray(head, head + length);
  }
}

interface Frame {
  type: string;
  sub?: string;
  cursor?: string;
  event?: Record<string, unknown>;
  cursors?: Record<string, string>;
}

function toldBy(payload: Buffer): Told[] {
  const frame = JSON.parse(payload.toString()) as Frame & Record<string, unknown>;
  const { type, sub = '', cursor, event = {}, cursors = {} } = frame;
  if (type === 'heartbeat') {
    return Object.entries(cursors).map(([name, at]) => ({
      kind: 'heartbeat',
      sub: name,
      cursor: at,
      body: {},
    }));
  }
  return [{ kind: nameOf(type), sub, cursor, body: type === 'event' ? event : frame }];
}

function nameOf(name: string): Told['kind'] {
  return name === 'event' || name === 'resumed' || name === 'reset' || name === 'caught_up' ? name : 'other';
}
