import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const idLine = /\nid: [a-z0-9]{8}-([0-9]+)\ndata: /g;

/** Follows a stream for its seqs alone: cheap enough to stand beside what is measured. */
export class StreamCounter {
  #request: ClientRequest;
  #tail = '\n';
  #last = 0;
  #count = 0;
  #gaps = 0;
  #wasReset = false;
  #onSeq: ((seq: number) => void) | undefined;

  private constructor(url: string, token: string, opened: (response: IncomingMessage) => void) {
    this.#request = request(url, { agent: false, headers: { authorization: `Bearer ${token}` } });
    this.#request.on('error', () => undefined);
    this.#request.on('response', (response) => {
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => this.#take(chunk));
      response.on('error', () => undefined);
      opened(response);
    });
    this.#request.end();
  }

  static async open(url: string, token: string): Promise<StreamCounter> {
    let counter: StreamCounter | undefined;
    const response = await new Promise<IncomingMessage>((resolve) => {
      counter = new StreamCounter(url, token, resolve);
    });
    if (response.statusCode !== 200) throw new Error(`the stream answered ${response.statusCode}`);
    return counter!;
  }

  get last(): number {
    return this.#last;
  }

  get count(): number {
    return this.#count;
  }

  /** Seqs that did not follow the one before, and resets. */
  get gaps(): number {
    return this.#gaps + (this.#wasReset ? 1 : 0);
  }

  onSeq(listener: (seq: number) => void): void {
    this.#onSeq = listener;
  }

  async hasReached(seq: number, timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    while (this.#last < seq) {
      if (performance.now() > deadline) return false;
      await sleep(5);
    }
    return true;
  }

  close(): void {
    this.#request.destroy();
  }

  #take(chunk: string): void {
    const text = this.#tail + chunk;
    let end = 0;
    for (const match of text.matchAll(idLine)) {
      const seq = Number(match[1]);
      if (this.#last !== 0 && seq !== this.#last + 1) this.#gaps += 1;
      this.#last = seq;
      this.#count += 1;
      this.#onSeq?.(seq);
      end = match.index + match[0].length;
    }
    if (text.includes('event: reset')) this.#wasReset = true;
    // An id line may be cut in two; it is shorter than this.
    this.#tail = text.slice(Math.max(end, text.length - 64));
  }
}
