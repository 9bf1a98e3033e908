import { SseReader, type SseBlock } from '@boardwire/test-kit';

/**
 * Follows an address as a browser's `EventSource` does: no headers but the last id, back by itself after every end, and
 * dead for good at the first status that is not 200.
 */
export class BrowserEventSource {
  readonly blocks: SseBlock[] = [];
  /** Cursors of events, in the order in which they came. */
  readonly cursors: string[] = [];
  connects = 0;
  /** The status that ended it for good. */
  deadWith: number | undefined;
  #reader: SseReader | undefined;
  #lastEventId = '';
  #retryMs = 300;
  #isClosed = false;

  constructor(private readonly url: string) {
    void this.#run();
  }

  get isOpen(): boolean {
    return this.#reader?.isOpen === true;
  }

  close(): void {
    this.#isClosed = true;
    this.#reader?.close();
  }

  async #run(): Promise<void> {
    while (!this.#isClosed && this.deadWith === undefined) {
      // oxlint-disable-next-line no-await-in-loop -- one connection after the other
      await this.#follow().catch(() => undefined);
      // oxlint-disable-next-line no-await-in-loop
      await new Promise((resolve) => setTimeout(resolve, Math.min(this.#retryMs, 500)));
    }
  }

  async #follow(): Promise<void> {
    const reader = await SseReader.open(this.url, this.#lastEventId === '' ? {} : { lastEventId: this.#lastEventId });
    this.#reader = reader;
    this.connects += 1;
    if (this.#isClosed) reader.close();
    if (reader.status !== 200) {
      this.deadWith = reader.status;
      reader.close();
      return;
    }
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- block by block, until it ends
      const block = await reader.next({ timeoutMs: 120_000 });
      this.blocks.push(block);
      if (block.retry !== undefined) this.#retryMs = block.retry;
      if (block.id !== undefined) this.#lastEventId = block.id;
      if (block.event === undefined && block.data !== undefined && block.id !== undefined) this.cursors.push(block.id);
    }
  }
}
