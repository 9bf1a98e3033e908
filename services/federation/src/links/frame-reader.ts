import type { Readable } from 'node:stream';
import { streamFrameSchema, type StreamFrame } from '@boardwire/contracts';
import { parseStrictJson } from '../hop/strict-json.ts';
import { LinkError } from './link-error.ts';

const lineBytesMax = 1024 * 1024;
const newline = 0x0a;

/**
 * Frames of a stream, a line each. Reads no further than it is asked to, so that a slow reader is felt by the sender; and
 * waits no longer for the next byte than it is told, so that a connection of which only this end is left is noticed.
 */
export class FrameReader {
  readonly #body: Readable;
  readonly #chunks: AsyncIterator<Buffer>;
  #buffered: Buffer[] = [];
  #size = 0;
  #lines: Buffer[] = [];

  constructor(body: Readable) {
    this.#body = body;
    this.#chunks = (body as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  }

  /** Whether the next frame is here already. */
  get isFilled(): boolean {
    return this.#lines.length > 0;
  }

  /** Undefined at the stream's end. @throws LinkError `silent`, `bad_answer`, `ended` */
  async next(waitMs: number): Promise<StreamFrame | undefined> {
    while (this.#lines.length === 0) {
      // oxlint-disable-next-line no-await-in-loop -- a chunk after the other
      const chunk = await this.#chunk(waitMs);
      if (chunk === undefined) return undefined;
      this.#take(chunk);
    }
    return frameOf(this.#lines.shift()!);
  }

  /** Whatever there is, up to a bound: the body of a refusal. */
  async rest(bytesMax: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let size = 0; size < bytesMax;) {
      // oxlint-disable-next-line no-await-in-loop
      const chunk = await this.#chunk(5_000).catch(() => undefined);
      if (chunk === undefined) break;
      parts.push(chunk);
      size += chunk.length;
    }
    return Buffer.concat(parts).subarray(0, bytesMax);
  }

  /** Ends the connection. */
  close(): void {
    this.#body.destroy();
  }

  async #chunk(waitMs: number): Promise<Buffer | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new LinkError('silent', `nothing came for ${waitMs} ms`)), waitMs);
    });
    const next = this.#chunks.next();
    // When silence wins, the connection is closed, and what it then says is nobody's business.
    next.catch(() => undefined);
    try {
      const { value, done } = await Promise.race([next, silence]);
      return done === true ? undefined : value;
    } catch (error) {
      throw error instanceof LinkError ? error : new LinkError('ended', `the connection failed: ${String(error)}`);
    } finally {
      clearTimeout(timer);
    }
  }

  #take(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, from)) {
      const line = Buffer.concat([...this.#buffered, chunk.subarray(from, end)]);
      this.#buffered = [];
      this.#size = 0;
      if (line.length > 0) this.#lines.push(line);
      from = end + 1;
    }
    if (from === chunk.length) return;
    this.#buffered.push(chunk.subarray(from));
    this.#size += chunk.length - from;
    if (this.#size > lineBytesMax) throw new LinkError('bad_answer', 'a frame beyond all measure');
  }
}

function frameOf(line: Buffer): StreamFrame {
  const json = strict(line);
  if (isItem(json)) return json;
  const parsed = streamFrameSchema.safeParse(json);
  if (!parsed.success) throw new LinkError('bad_answer', 'not a frame');
  return parsed.data;
}

/** Of the frames that come by the thousand: what is inside the item is looked at where it is verified. */
function isItem(json: unknown): json is Extract<StreamFrame, { t: 'ev' }> {
  const { t, item } = (json ?? {}) as { t?: unknown; item?: { h?: unknown; data?: unknown } | null };
  return t === 'ev' && typeof item?.h === 'string' && (item.data === null || typeof item.data === 'string');
}

function strict(line: Buffer): unknown {
  try {
    return parseStrictJson(line);
  } catch {
    throw new LinkError('bad_answer', 'a frame that is not JSON');
  }
}
