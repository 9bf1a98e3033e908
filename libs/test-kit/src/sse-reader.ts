import { request, type IncomingMessage } from 'node:http';
import { Inbox, type WaitOptions } from './inbox.ts';

/** One block of an event stream, as it stood on the wire. */
export interface SseBlock {
  raw: string;
  id?: string;
  event?: string;
  /** Lines joined by `\n`; undefined when the block had no data line (a heartbeat: id only). */
  data?: string;
  retry?: number;
  receivedAt: number;
}

export interface SseOptions extends WaitOptions {
  headers?: Record<string, string>;
  lastEventId?: string;
  token?: string;
}

/**
 * Reads an event stream block by block without EventSource's comforts: no reconnect, nothing dropped, id-only blocks
 * and comments included.
 */
export class SseReader {
  /** Everything received, for assertions about what was there and what wasn't. */
  readonly blocks: SseBlock[] = [];
  private readonly inbox = new Inbox<SseBlock>();
  private text = '';

  private constructor(private readonly response: IncomingMessage) {
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => this.take(chunk));
    response.on('error', () => this.inbox.end('the stream broke'));
    response.on('close', () => this.inbox.end('the stream ended'));
  }

  /** Connects and resolves with the headers, whatever the status. */
  static open(url: string | URL, options: SseOptions = {}): Promise<SseReader> {
    const { headers, lastEventId, token, timeoutMs = 5_000 } = options;
    return new Promise((resolve, reject) => {
      const outgoing = request(url, {
        agent: false,
        headers: {
          accept: 'text/event-stream',
          ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
      });
      const timer = setTimeout(() => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      outgoing.once('error', reject);
      outgoing.once('response', (response) => {
        clearTimeout(timer);
        outgoing.on('error', () => undefined);
        resolve(new SseReader(response));
      });
      outgoing.end();
    });
  }

  get status(): number {
    return this.response.statusCode ?? 0;
  }

  get headers(): IncomingMessage['headers'] {
    return this.response.headers;
  }

  get isOpen(): boolean {
    return !this.inbox.hasEnded;
  }

  /** The next block nobody took yet; rejects at the deadline or when the stream ends first. */
  next(options?: WaitOptions): Promise<SseBlock> {
    return this.inbox.next(options);
  }

  /** Takes blocks until one satisfies the condition, and returns that one. */
  async until(condition: (block: SseBlock) => boolean, options?: WaitOptions): Promise<SseBlock> {
    return this.inbox.until(condition, options);
  }

  /** Resolves when the server has ended the stream. */
  ended(options?: WaitOptions): Promise<void> {
    return this.inbox.ended(options);
  }

  /** The whole body as text, for answers that are no streams. */
  async body(options?: WaitOptions): Promise<string> {
    await this.ended(options);
    return [...this.blocks.map((block) => block.raw), this.text].join('\n\n');
  }

  close(): void {
    this.response.destroy();
  }

  /** A slow client: nothing is read from the socket until `resume`. */
  pause(): void {
    this.response.pause();
  }

  resume(): void {
    this.response.resume();
  }

  private take(chunk: string): void {
    this.text += chunk;
    for (;;) {
      const end = /\r\n\r\n|\n\n|\r\r/.exec(this.text);
      if (!end) return;
      const raw = this.text.slice(0, end.index);
      this.text = this.text.slice(end.index + end[0].length);
      const block = parseSseBlock(raw);
      this.blocks.push(block);
      this.inbox.put(block);
    }
  }
}

/** Parses one block by the rules of the HTML standard, section 9.2.6. */
export function parseSseBlock(raw: string): SseBlock {
  const block: SseBlock = { raw, receivedAt: performance.now() };
  const data: string[] = [];
  for (const line of raw.split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(':');
    if (colon === 0) continue;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'id') block.id = value;
    else if (field === 'event') block.event = value;
    else if (field === 'retry') block.retry = Number(value);
    else if (field === 'data') data.push(value);
  }
  if (data.length > 0) block.data = data.join('\n');
  return block;
}
