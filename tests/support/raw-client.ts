import { connect, type Socket } from 'node:net';
import { randomBytes } from 'node:crypto';

/** What came back over a bare socket, and how it ended. */
export interface RawAnswer {
  text: string;
  statuses: number[];
  isClosed: boolean;
}

const statusLine = /HTTP\/1\.[01] (\d{3}) /g;

/**
 * Writes bytes as they are and reads until the server closes, or until nothing more came for a while: a stream stays
 * open, and so does a request that is not complete.
 */
export function sendRaw(
  url: string,
  pieces: readonly (string | Uint8Array)[],
  options: {
    quietMs?: number;
    /** The second piece leaves when something has come back for the first. */
    waits?: boolean;
  } = {},
): Promise<RawAnswer> {
  const { quietMs = 150, waits = false } = options;
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    const chunks: Buffer[] = [];
    let quiet: NodeJS.Timeout | undefined;
    const done = (isClosed: boolean) => {
      clearTimeout(quiet);
      socket.destroy();
      const text = Buffer.concat(chunks).toString('latin1');
      resolve({ text, statuses: [...text.matchAll(statusLine)].map((match) => Number(match[1])), isClosed });
    };
    const waitOn = () => {
      clearTimeout(quiet);
      quiet = setTimeout(() => done(false), quietMs);
    };
    socket.on('error', () => undefined);
    socket.on('close', () => done(true));
    socket.on('data', (bytes: Buffer) => {
      if (waits && chunks.length === 0) void writeAll(socket, pieces.slice(1));
      chunks.push(bytes);
      waitOn();
    });
    socket.on('connect', () => {
      waitOn();
      void writeAll(socket, waits ? pieces.slice(0, 1) : pieces);
    });
  });
}

/** Each piece in a packet of its own. */
async function writeAll(socket: Socket, pieces: readonly (string | Uint8Array)[]): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return;
    socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
    // oxlint-disable-next-line no-await-in-loop -- one packet after the other
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

export interface ClientFrame {
  opcode: number;
  payload: Uint8Array;
  isFinal?: boolean;
  /** Reserved bits, 0–7; a server that negotiated nothing must refuse any. */
  reserved?: number;
  isMasked?: boolean;
  /** Said instead of the payload's own length. */
  saidLength?: number;
}

/** A frame as a client would send it, or as none should. */
export function clientFrame(frame: ClientFrame): Buffer {
  const { opcode, payload, isFinal = true, reserved = 0, isMasked = true, saidLength = payload.length } = frame;
  const first = (isFinal ? 0x80 : 0) | ((reserved & 7) << 4) | (opcode & 0xf);
  const length =
    saidLength < 126
      ? Buffer.from([saidLength])
      : saidLength < 65_536
        ? Buffer.from([126, saidLength >> 8, saidLength & 0xff])
        : Buffer.concat([Buffer.from([127]), bigLength(saidLength)]);
  if (isMasked) length[0]! |= 0x80;
  const mask = isMasked ? randomBytes(4) : Buffer.alloc(0);
  const body = isMasked ? Buffer.from(payload.map((byte, at) => byte ^ mask[at % 4]!)) : Buffer.from(payload);
  return Buffer.concat([Buffer.from([first]), length, mask, body]);
}

export const upgradeRequest = (path = '/v1/ws', headers = ''): string =>
  `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n` +
  `sec-websocket-key: ${randomBytes(16).toString('base64')}\r\nsec-websocket-protocol: boardwire.v1\r\n${headers}\r\n`;

function bigLength(length: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(length));
  return bytes;
}
