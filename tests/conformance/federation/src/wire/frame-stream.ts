import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { ndjsonMediaType, streamFrameSchema, type StreamFrame } from '@boardwire/contracts';
import { Broken } from '../rule.ts';

type FrameOf<T extends StreamFrame['t']> = Extract<StreamFrame, { t: T }>;

/** The frames of one stream, as they come. */
export class FrameStream {
  readonly frames: StreamFrame[] = [];
  isEnded = false;
  fault: string | undefined;
  readonly #incoming: IncomingMessage;
  readonly #waiting = new Set<() => void>();

  constructor(
    incoming: IncomingMessage,
    /** Of the request that opened it. */
    readonly nonce: string,
  ) {
    this.#incoming = incoming;
    if (!String(incoming.headers['content-type']).startsWith(ndjsonMediaType)) this.fault = `not ${ndjsonMediaType}`;
    incoming
      .on('error', () => undefined)
      .on('close', () => {
        this.isEnded = true;
        this.#wake();
      });
    createInterface({ input: incoming })
      .on('error', () => undefined)
      .on('line', (line) => this.#take(line));
  }

  named<T extends StreamFrame['t']>(type: T): FrameOf<T>[] {
    return this.frames.filter((frame): frame is FrameOf<T> => frame.t === type);
  }

  /** @throws Broken when it doesn't come to pass in time, or a frame is none of the contract */
  async until(what: string, isSo: () => boolean, withinMs = 5_000): Promise<void> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      if (this.fault !== undefined) throw new Broken(`a stream: ${this.fault}`);
      if (isSo()) return;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new Broken(`not within ${withinMs / 1_000} s: ${what}`);
      // oxlint-disable-next-line no-await-in-loop -- until it is so
      await this.#changed(leftMs);
    }
  }

  close(): void {
    this.#incoming.destroy();
  }

  #take(line: string): void {
    try {
      this.frames.push(streamFrameSchema.parse(JSON.parse(line)));
    } catch {
      this.fault ??= `a frame that is none: ${line.slice(0, 120)}`;
    }
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  async #changed(withinMs: number): Promise<void> {
    let wake = () => undefined as void;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      wake = resolve;
      this.#waiting.add(wake);
      timer = setTimeout(resolve, withinMs);
    });
    clearTimeout(timer);
    this.#waiting.delete(wake);
  }
}
