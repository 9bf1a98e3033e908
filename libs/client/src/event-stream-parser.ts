/** One dispatched block of an event stream. */
export interface StreamMessage {
  /** The `event:` field, `message` when the block has none. */
  type: string;
  data: string;
  /** The `id:` field of this very block; a block without one leaves the cursor alone. */
  id: string | undefined;
}

export interface EventStreamHandlers {
  onMessage(message: StreamMessage): void;
  /** A block of `id:` alone: it dispatches nothing and still moves the last event id. */
  onIdOnly(id: string): void;
  onRetry(milliseconds: number): void;
}

/**
 * Parses `text/event-stream` as WHATWG HTML, section 9.2.6 says: a BOM at the very start, lines ended by CR, LF or CRLF
 * in any mixture and cut anywhere between chunks, fields without a colon, one optional space after it, ids with NUL and
 * retries that are not digits ignored, an unfinished last block discarded. A block larger than the bound throws.
 */
export class EventStreamParser {
  readonly #decoder = new TextDecoder('utf-8');
  readonly #handlers: EventStreamHandlers;
  readonly #blockCharactersMax: number;
  #rest = '';
  /** The last line ended in CR at the end of a chunk: an LF that follows belongs to it. */
  #skipLineFeed = false;
  #data: string[] = [];
  #dataCharacters = 0;
  #type = '';
  #id: string | undefined;

  constructor(handlers: EventStreamHandlers, { blockCharactersMax = 4 * 1024 * 1024 } = {}) {
    this.#handlers = handlers;
    this.#blockCharactersMax = blockCharactersMax;
  }

  push(chunk: Uint8Array): void {
    let text = this.#decoder.decode(chunk, { stream: true });
    if (text === '') return;
    if (this.#skipLineFeed) {
      this.#skipLineFeed = false;
      if (text.startsWith('\n')) text = text.slice(1);
    }
    this.#lines(text);
  }

  #lines(text: string): void {
    const lineEnd = /\r\n|\n|\r/g;
    let from = 0;
    for (let match = lineEnd.exec(text); match !== null; match = lineEnd.exec(text)) {
      this.#line(this.#rest + text.slice(from, match.index));
      this.#rest = '';
      from = lineEnd.lastIndex;
      if (match[0] === '\r' && from === text.length) this.#skipLineFeed = true;
    }
    this.#rest += text.slice(from);
    this.#assertBounded(this.#rest.length);
  }

  #line(line: string): void {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    this.#field(field, value);
  }

  #field(field: string, value: string): void {
    if (field === 'data') {
      this.#data.push(value);
      this.#dataCharacters += value.length + 1;
      this.#assertBounded(this.#dataCharacters);
    } else if (field === 'event') this.#type = value;
    else if (field === 'id' && !value.includes('\u0000')) this.#id = value;
    else if (field === 'retry' && /^[0-9]+$/.test(value)) this.#handlers.onRetry(Number(value));
  }

  #dispatch(): void {
    const [data, type, id] = [this.#data, this.#type, this.#id];
    this.#data = [];
    this.#dataCharacters = 0;
    this.#type = '';
    this.#id = undefined;
    if (data.length > 0) {
      this.#handlers.onMessage({ type: type === '' ? 'message' : type, data: data.join('\n'), id });
    } else if (id !== undefined) this.#handlers.onIdOnly(id);
  }

  #assertBounded(characters: number): void {
    if (characters > this.#blockCharactersMax) throw new Error('a block of the event stream exceeds its bound');
  }
}
