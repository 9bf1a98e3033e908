import { connect, type Socket } from 'node:net';

/** Ends an SSE block head; stands before each cursor in a WebSocket frame. */
const marks = { sse: Buffer.from('\nid: '), ws: Buffer.from('"cursor":"') };
const cursorLength = 40;
const upgrade =
  'upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
  'sec-websocket-version: 13\r\nsec-websocket-protocol: boardwire.v1\r\n';

export interface CrowdOptions {
  url: string;
  board: string;
  token: string;
  /** Cursor to begin after. */
  after: string;
}

/**
 * One client over a bare socket that reads cheaply enough for hundreds of them: only the order of the cursors is looked
 * at. It answers pings as far as it has read, and can stop reading.
 */
export class CrowdClient {
  readonly socket: Socket;
  readonly transport: 'sse' | 'ws';
  last: number;
  events = 0;
  gaps = 0;
  isCaughtUp = false;
  isClosed = false;
  cursor: string;
  #tail: Buffer = Buffer.alloc(0);

  constructor(transport: 'sse' | 'ws', options: CrowdOptions) {
    const { hostname, port } = new URL(options.url);
    this.transport = transport;
    this.cursor = options.after;
    this.last = Number(options.after.split('-')[1]);
    this.socket = connect({ port: Number(port), host: hostname }, () => this.#ask(options));
    this.socket.on('data', (bytes: Buffer) => this.#take(bytes));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => (this.isClosed = true));
  }

  #ask({ board, token, after }: CrowdOptions): void {
    const authorization = `host: x\r\nauthorization: Bearer ${token}\r\n`;
    if (this.transport === 'sse') {
      this.socket.write(`GET /v1/boards/${board}/stream?after=${after} HTTP/1.1\r\n${authorization}\r\n`);
      return;
    }
    this.socket.write(`GET /v1/ws HTTP/1.1\r\n${authorization}${upgrade}\r\n`);
    const frame = Buffer.from(JSON.stringify({ type: 'subscribe', sub: 's', board, subjects: ['>'], after }));
    this.socket.once('data', () => this.socket.write(masked(0x81, frame)));
  }

  #take(bytes: Buffer): void {
    const mark = marks[this.transport];
    const text = this.#tail.length === 0 ? bytes : Buffer.concat([this.#tail, bytes]);
    if (!this.isCaughtUp && text.includes('caught_up')) this.isCaughtUp = true;
    if (this.transport === 'ws') this.#answerPings(text);
    let from = 0;
    for (;;) {
      const at = text.indexOf(mark, from);
      if (at < 0 || at + mark.length + cursorLength > text.length) break;
      this.#saw(text.toString('latin1', at + mark.length, at + mark.length + cursorLength));
      from = at + mark.length;
    }
    // A mark or its cursor may be cut in two.
    this.#tail = Buffer.from(text.subarray(Math.max(from, text.length - mark.length - cursorLength)));
  }

  #saw(text: string): void {
    const cursor = /^(\w{8}-(\d+))[\n"]/.exec(text);
    const seq = Number(cursor?.[2]);
    // Opening blocks and heartbeats carry the position; each event has the next seq.
    if (cursor === null || seq <= this.last) return;
    if (seq !== this.last + 1) this.gaps += 1;
    this.last = seq;
    this.cursor = cursor[1]!;
    this.events += 1;
  }

  /** A ping's payload is digits here, which stand nowhere else behind its two bytes. */
  #answerPings(text: Buffer): void {
    for (let at = text.indexOf(0x89); at >= 0 && at + 1 < text.length; at = text.indexOf(0x89, at + 1)) {
      const length = text[at + 1]!;
      const payload = text.subarray(at + 2, at + 2 + length);
      if (length > 0 && length < 16 && payload.length === length && /^\d+$/.test(payload.toString('latin1'))) {
        this.socket.write(masked(0x8a, payload));
      }
    }
  }
}

function masked(first: number, payload: Buffer): Buffer {
  const head =
    payload.length < 126 ? [first, 0x80 | payload.length] : [first, 0xfe, payload.length >> 8, payload.length & 255];
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), payload]);
}
