import type { Socket } from 'node:net';

/** How bytes get through, one way. `held`: not at all, and nobody is told. */
export type Flow =
  | { kind: 'free' }
  | { kind: 'held' }
  | { kind: 'late'; byMs: number }
  | { kind: 'drip'; bytes: number; everyMs: number };

export const free: Flow = { kind: 'free' };

interface Chunk {
  bytes: Buffer;
  atMs: number;
}

/** As much as a connection takes on whose other end nobody reads. */
const windowBytes = 256 * 1024;

/** One direction of a connection. Bytes keep their order, and none is lost: a transport sends again what was dropped. */
export class Lane {
  readonly #queue: Chunk[] = [];
  #size = 0;
  #end: 'none' | 'half' | 'whole' = 'none';
  #timer: NodeJS.Timeout | undefined;
  #nextDripMs = 0;

  constructor(
    private readonly source: Socket,
    private readonly sink: Socket,
    private readonly flow: () => Flow,
  ) {}

  push(bytes: Buffer): void {
    this.#queue.push({ bytes, atMs: performance.now() });
    this.#size += bytes.length;
    if (this.#size > windowBytes) this.source.pause();
    this.move();
  }

  /** The source has ended, or has gone: the sink does the same behind what is still on its way. */
  end(how: 'half' | 'whole'): void {
    this.#end = how;
    this.move();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
  }

  /** Passes on what is due. */
  move(): void {
    clearTimeout(this.#timer);
    const flow = this.flow();
    if (flow.kind === 'held') return;
    while (this.#queue.length > 0) {
      const waitMs = this.#waitMs(flow);
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.move(), waitMs);
        return;
      }
      this.#pass(flow);
    }
    if (this.#end === 'half') this.sink.end();
    if (this.#end === 'whole') this.sink.destroySoon();
  }

  #waitMs(flow: Flow): number {
    const nowMs = performance.now();
    if (flow.kind === 'late') return this.#queue[0]!.atMs + flow.byMs - nowMs;
    return flow.kind === 'drip' ? this.#nextDripMs - nowMs : 0;
  }

  #pass(flow: Flow): void {
    const { bytes, atMs } = this.#queue.shift()!;
    const count = flow.kind === 'drip' ? Math.min(flow.bytes, bytes.length) : bytes.length;
    if (count < bytes.length) this.#queue.unshift({ bytes: bytes.subarray(count), atMs });
    if (flow.kind === 'drip') this.#nextDripMs = performance.now() + flow.everyMs;
    this.#size -= count;
    this.sink.write(bytes.subarray(0, count));
    if (this.#size < windowBytes / 2) this.source.resume();
  }
}
