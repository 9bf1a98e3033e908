import type { Socket } from 'node:net';

export interface OutboxBounds {
  bytesMax: number;
  eventsMax: number;
}

export interface OutboxOptions extends OutboxBounds {
  /** Called once, when a write would go over a bound; the owner ends the connection. */
  onOverflow: () => void;
  /** Called whenever another {@link noticedBytes} have been written. */
  onMuchWritten?: () => void;
  /** Told when a socket that could not take everything has taken all of it: how long something waited. */
  onDrained?: (seconds: number) => void;
}

/** So much has to be written between two calls of `onMuchWritten`. */
export const noticedBytes = 256 * 1024;

type FlowingSocket = Socket & { _handle?: { writeQueueSize?: number } | null };

/** With more than this waiting, or this share of the bound, a reader of the newest is behind. */
const behindAboveBytes = 64 * 1024;
/** Of an outbox's bounds: above it, what may be dropped is. */
const droppableShare = 0.25;
/** How long a finished connection may take to flush what was written before it is destroyed. */
const flushMaxMs = 2_000;

/**
 * The bounded way to one socket. What the kernel has not taken waits in the socket; nothing ever waits for it.
 * The number of waiting events is an estimate: it shrinks as the waiting bytes do.
 */
export class Outbox {
  readonly #socket: Socket;
  readonly #options: OutboxOptions;
  #isShared = false;
  #isCorked = false;
  #isSealed = false;
  #events = 0;
  #bytesBefore = 0;
  #heldBytes = 0;
  #heldEvents = 0;
  #written = 0;
  #noticed = 0;
  #looked = 0;
  #drained: Promise<void> | undefined;
  #flow = '';
  #stillLooks = 0;
  #isWatched = false;

  constructor(socket: Socket, options: OutboxOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.setNoDelay(true);
  }

  /** Several subscriptions write here: what they write in one tick leaves as one write. */
  share(): void {
    this.#isShared = true;
  }

  get isSealed(): boolean {
    return this.#isSealed || this.#socket.destroyed;
  }

  /** Everything that waits for this socket, here or where it is held. */
  get waitingBytes(): number {
    return this.#socket.writableLength + this.#heldBytes;
  }

  get waitingEvents(): number {
    this.#settle();
    return Math.round(this.#events) + this.#heldEvents;
  }

  /** Whether so much waits in the socket that only the newest should follow; never while there is no drain to wait for. */
  get isBehind(): boolean {
    const { writableNeedDrain, writableLength } = this.#socket;
    return writableNeedDrain && writableLength > Math.min(behindAboveBytes, this.#options.bytesMax * droppableShare);
  }

  /** Counts what is held back for this socket, or no longer is, into its bounds. */
  hold(bytes: number, events: number): void {
    this.#heldBytes += bytes;
    this.#heldEvents += events;
    if (bytes > 0 || events > 0) this.#assertRoom(0, 0);
  }

  /** What is written in the rest of this turn leaves as one write. */
  gather(): void {
    this.#corkForThisTick();
  }

  /** Bytes written in all. */
  get written(): number {
    return this.#written;
  }

  /** Of what waits, the bytes that waited when this was asked before. Nothing more is owed once the connection ends. */
  overdueBytes(): number {
    const sinceThen = this.#written - this.#looked;
    this.#looked = this.#written;
    return this.isSealed ? 0 : Math.max(0, this.waitingBytes - sinceThen);
  }

  /**
   * To be asked once a period: for how many periods nothing was taken of what waits. A client that stopped reading
   * while little is owed would otherwise stay for as long as its machine does.
   */
  periodsStill(): number {
    const { bytesWritten, writableLength, _handle: handle } = this.#socket as FlowingSocket;
    // What a single large write has left is known to the handle alone.
    const flow = `${bytesWritten - writableLength} ${handle?.writeQueueSize}`;
    this.#stillLooks = writableLength > 0 && flow === this.#flow ? this.#stillLooks + 1 : 0;
    this.#flow = flow;
    return this.#stillLooks;
  }

  /** @returns false when the connection has ended or ends by this write's overflow. */
  write(bytes: Buffer, events = 0): boolean {
    if (this.#isSealed || this.#socket.destroyed) return false;
    this.#settle();
    if (this.#bytesBefore > 0 && !this.#assertRoom(bytes.length, events)) return false;
    if (this.#isShared) this.#corkForThisTick();
    if (!this.#socket.write(bytes) && !this.#isCorked) this.#watchDrain();
    this.#events += events;
    this.#bytesBefore += bytes.length;
    this.#written += bytes.length;
    if (this.#written - this.#noticed >= noticedBytes) this.#notice();
    return true;
  }

  /** A few bytes of the protocol's own, past the bounds and uncounted. */
  interject(bytes: Buffer): void {
    if (!this.isSealed) this.#socket.write(bytes);
  }

  /** What may be dropped goes first: it is taken only while little waits. @returns false when it was not. */
  offer(bytes: Buffer, events: number): boolean {
    const { bytesMax, eventsMax } = this.#options;
    const { waitingBytes } = this;
    const isFilling =
      waitingBytes > 0 &&
      (waitingBytes + bytes.length > bytesMax * droppableShare ||
        this.waitingEvents + events > eventsMax * droppableShare);
    return !isFilling && this.write(bytes, events);
  }

  /** Resolves when the socket can take more, or has ended; undefined when it can now. */
  drained(): Promise<void> | undefined {
    if (!this.#socket.writableNeedDrain || this.#socket.destroyed) return undefined;
    return (this.#drained ??= this.#nextDrain());
  }

  /** The last bytes, past the bounds; nothing is taken afterwards. Destroys the socket if it doesn't flush in time. */
  finish(last: Buffer | undefined, end: () => void): void {
    this.#isSealed = true;
    if (this.#socket.destroyed) return;
    if (last !== undefined) this.#socket.write(last);
    end();
    const timer = setTimeout(() => this.#socket.destroy(), flushMaxMs);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  /** @returns false when the connection ends because there is none. */
  #assertRoom(bytes: number, events: number): boolean {
    const { bytesMax, eventsMax, onOverflow } = this.#options;
    const hasRoom = this.waitingBytes + bytes <= bytesMax && this.#events + this.#heldEvents + events <= eventsMax;
    if (hasRoom || this.isSealed) return hasRoom;
    this.#isSealed = true;
    onOverflow();
    return false;
  }

  #notice(): void {
    this.#noticed = this.#written;
    this.#options.onMuchWritten?.();
  }

  #settle(): void {
    const left = this.#socket.writableLength;
    if (left === 0) this.#events = 0;
    else if (left < this.#bytesBefore) this.#events *= left / this.#bytesBefore;
    this.#bytesBefore = left;
  }

  #corkForThisTick(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#socket.cork();
    process.nextTick(() => {
      this.#isCorked = false;
      this.#socket.uncork();
      if (this.#socket.writableNeedDrain) this.#watchDrain();
    });
  }

  /** One listener for as long as something waits; whoever takes everything at once costs nothing. */
  #watchDrain(): void {
    const { onDrained } = this.#options;
    if (onDrained === undefined || this.#isWatched || this.#socket.writableLength === 0) return;
    this.#isWatched = true;
    const sinceMs = performance.now();
    this.#socket.once('drain', () => {
      this.#isWatched = false;
      onDrained((performance.now() - sinceMs) / 1_000);
    });
  }

  #nextDrain(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#socket.off('drain', done);
        this.#socket.off('close', done);
        this.#drained = undefined;
        resolve();
      };
      this.#socket.on('drain', done);
      this.#socket.on('close', done);
    });
  }
}
