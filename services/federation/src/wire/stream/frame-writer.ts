import type { ServerResponse } from 'node:http';

export interface FrameWriterOptions {
  /** What may wait in this process for the peer to take it. */
  bytesMax: number;
  /** How long the peer may take nothing of it. */
  stillMsMax: number;
}

/** Below this the next page is fetched. */
const lowWater = 256 * 1024;
const lookMs = 100;
const flushMs = 1_000;

/** Writes lines to one peer, and knows when it has had enough. The log is the queue: what it can't take isn't read yet. */
export class FrameWriter {
  readonly #response: ServerResponse;
  readonly #options: FrameWriterOptions;
  #isEnded = false;

  constructor(response: ServerResponse, options: FrameWriterOptions) {
    this.#response = response;
    this.#options = options;
  }

  get buffered(): number {
    return this.#response.destroyed ? 0 : this.#response.writableLength;
  }

  get isOpen(): boolean {
    return !this.#isEnded && !this.#response.destroyed;
  }

  write(lines: string): void {
    if (this.isOpen) this.#response.write(lines);
  }

  /** Whether there is room again; false: the connection has ended, or the peer is too slow for this stream. */
  async hasRoom(): Promise<'yes' | 'slow' | 'ended'> {
    const { bytesMax, stillMsMax } = this.#options;
    let least = this.buffered;
    let movedAt = performance.now();
    while (this.isOpen && this.buffered > lowWater) {
      if (this.buffered > bytesMax || performance.now() - movedAt > stillMsMax) return 'slow';
      // oxlint-disable-next-line no-await-in-loop -- until it has drained
      await this.#drained();
      if (this.buffered >= least) continue;
      least = this.buffered;
      movedAt = performance.now();
    }
    return this.isOpen ? 'yes' : 'ended';
  }

  /** The last line, and the end; what the peer hasn't taken soon after is dropped. */
  end(line: string): void {
    if (!this.isOpen) return;
    this.#isEnded = true;
    const response = this.#response;
    const timer = setTimeout(() => response.destroy(), flushMs);
    response.once('close', () => clearTimeout(timer));
    response.end(line);
  }

  destroy(): void {
    this.#isEnded = true;
    this.#response.destroy();
  }

  /** A drain tells only of an empty buffer, and a peer that takes little by little is not still. */
  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#response.off('drain', done).off('close', done);
        resolve();
      };
      const timer = setTimeout(done, lookMs);
      this.#response.once('drain', done).once('close', done);
    });
  }
}
