import { request, type IncomingMessage } from 'node:http';

/** One block of an event stream as it stood on the wire. */
export interface Block {
  id?: string;
  event?: string;
  data?: string;
  retry?: string;
  comments: string[];
  at: number;
}

/** Reads complete blocks out of the bytes of an event stream; deliberately apart from the SDK's parser. */
export class BlockReader {
  private rest = '';

  push(text: string): Block[] {
    this.rest += text;
    const blocks: Block[] = [];
    for (let end = this.rest.indexOf('\n\n'); end >= 0; end = this.rest.indexOf('\n\n')) {
      blocks.push(parseBlock(this.rest.slice(0, end)));
      this.rest = this.rest.slice(end + 2);
    }
    return blocks;
  }
}

function parseBlock(text: string): Block {
  const block: Block = { comments: [], at: performance.now() };
  for (const line of text.split('\n')) {
    if (line.startsWith(':')) block.comments.push(line.slice(1).trim());
    else if (line.startsWith('id: ')) block.id = line.slice(4);
    else if (line.startsWith('event: ')) block.event = line.slice(7);
    else if (line.startsWith('data: ')) block.data = line.slice(6);
    else if (line.startsWith('retry: ')) block.retry = line.slice(7);
    else if (line !== '') throw new Error(`not a line of an event stream: ${JSON.stringify(line)}`);
  }
  return block;
}

export interface RecorderOptions {
  token: string;
  lastEventId?: string;
  /** Come back with the cursor when the stream ends, as a browser does. */
  returns?: boolean;
}

/** Follows a stream as a browser would and keeps every block, so that a test can say what a user saw. */
export class StreamRecorder {
  readonly blocks: Block[] = [];
  /** Blocks that carry an application's event: data and no name. */
  readonly events: Block[] = [];
  readonly seqs: number[] = [];
  status = 0;
  body = '';
  connects = 0;
  private cursor: string | undefined;
  private closed = false;
  private response: IncomingMessage | undefined;
  private waiting: (() => void)[] = [];
  private readonly url: string;
  private readonly options: RecorderOptions;

  constructor(url: string, options: RecorderOptions) {
    this.url = url;
    this.options = options;
    this.cursor = options.lastEventId;
    this.connect();
  }

  get lastEventId(): string | undefined {
    return this.cursor;
  }

  named(name: string): Block[] {
    return this.blocks.filter((block) => block.event === name);
  }

  /** Waits until the condition holds of what was recorded. */
  async until(condition: (recorder: this) => boolean, timeoutMs = 20_000, what = 'the awaited blocks'): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!condition(this)) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`waited ${timeoutMs} ms for ${what}; ${this.summary()}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, 250));
        this.waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  close(): void {
    this.closed = true;
    this.response?.destroy();
  }

  private summary(): string {
    const { seqs } = this;
    return `status ${this.status}, ${this.connects} connects, ${this.blocks.length} blocks, ${seqs.length} events, last ${seqs.at(-1)}, named ${[...new Set(this.blocks.map((block) => block.event))].join(',')}, body ${this.body.slice(0, 200)}`;
  }

  private connect(): void {
    const headers: Record<string, string> = {
      accept: 'text/event-stream',
      authorization: `Bearer ${this.options.token}`,
    };
    if (this.cursor !== undefined) headers['last-event-id'] = this.cursor;
    const call = request(this.url, { headers, agent: false }, (response) => this.receive(response));
    call.on('error', () => this.comeBack());
    call.end();
  }

  private receive(response: IncomingMessage): void {
    this.response = response;
    this.status = response.statusCode ?? 0;
    this.connects += 1;
    const reader = new BlockReader();
    response.setEncoding('utf8');
    response.on('data', (text: string) => {
      if (this.status !== 200) this.body += text;
      else for (const block of reader.push(text)) this.keep(block);
      this.wake();
    });
    response.once('close', () => this.comeBack());
    response.on('error', () => undefined);
  }

  private keep(block: Block): void {
    if (block.id !== undefined) this.cursor = block.id;
    this.blocks.push(block);
    if (block.data === undefined || block.event !== undefined) return;
    this.events.push(block);
    this.seqs.push(Number((block.id ?? '').split('-')[1]));
  }

  private comeBack(): void {
    this.wake();
    if (this.closed || this.options.returns !== true) return;
    setTimeout(() => {
      if (!this.closed) this.connect();
    }, 100);
  }

  private wake(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** Seqs that break "1, 2, 3 … without hole, in order, once"; empty when all is well. */
export function faultsOf(seqs: readonly number[], from: number, to: number): string[] {
  const faults: string[] = [];
  let expected = from;
  for (const seq of seqs) {
    if (seq !== expected) {
      faults.push(`expected ${expected}, got ${seq}`);
      if (faults.length >= 5) return faults;
    }
    expected = seq + 1;
  }
  if (expected !== to + 1) faults.push(`ended at ${expected - 1} instead of ${to}`);
  return faults;
}
