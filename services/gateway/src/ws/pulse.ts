import { limits } from '@boardwire/contracts';
import type { WebSocket } from 'ws';
import type { Deadlines } from '../connections/deadlines.ts';
import { noticedBytes, type Outbox } from '../delivery/outbox.ts';

/** What happens to who doesn't read. */
export interface Reading {
  asked: Deadlines<Pulse>;
  /** Much is unread for too long; the owner ends the connection. */
  onUnread: () => void;
}

/**
 * The pings of one socket. A pong tells that its peer lives, and how far it has read: a ping carries how many bytes were
 * written before it. Nothing else sees what the kernels of both sides take for a client that doesn't read, some four
 * megabytes, before a single byte waits here.
 */
export class Pulse {
  readonly #webSocket: WebSocket;
  readonly #outbox: Outbox;
  readonly #reading: Reading;
  #missed = 0;
  #read = 0;
  #isAsked = false;

  constructor(webSocket: WebSocket, outbox: Outbox, reading: Reading) {
    this.#webSocket = webSocket;
    this.#outbox = outbox;
    this.#reading = reading;
  }

  /** Bytes that its client is not known to have read. */
  get unreadBytes(): number {
    return this.#outbox.written - this.#read;
  }

  /** Whether a ping that stands behind much is on its way. */
  get isAsked(): boolean {
    return this.#isAsked;
  }

  /** The regular ping. @returns false when too many went unanswered: the peer is gone. */
  beat(): boolean {
    if (this.#missed >= limits.missedPongsMax) return false;
    this.#missed += 1;
    this.#ping();
    return true;
  }

  /** Asks how far the client has read, unless it is asked already. */
  ask(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#reading.asked.set(this);
    this.#ping();
  }

  /** It was asked, and has not read that far in time. */
  late(unreadBytesMax: number): void {
    if (this.unreadBytes > unreadBytesMax) this.#reading.onUnread();
    else this.#reading.asked.set(this);
  }

  /** The connection has ended. */
  stop(): void {
    this.#reading.asked.delete(this);
  }

  /** @param mark the payload of the ping that it answers */
  pong(mark: Buffer): void {
    this.#missed = 0;
    const read = Number(mark.toString('latin1'));
    // What was never sent, or by somebody else's count, tells nothing.
    if (!(read > this.#read && read <= this.#outbox.written)) return;
    this.#read = read;
    this.#isAsked = false;
    this.#reading.asked.delete(this);
    if (this.unreadBytes >= noticedBytes) this.ask();
  }

  #ping(): void {
    if (this.#webSocket.readyState === this.#webSocket.OPEN) this.#outbox.interject(pingFrame(this.#outbox.written));
  }
}

const finalPing = 0x89;

/** RFC 6455, 5.5.2: a whole frame in one write, where the library makes two of header and payload. */
function pingFrame(mark: number): Buffer {
  const text = String(mark);
  const frame = Buffer.allocUnsafe(2 + text.length);
  frame[0] = finalPing;
  frame[1] = text.length;
  frame.write(text, 2, 'latin1');
  return frame;
}
