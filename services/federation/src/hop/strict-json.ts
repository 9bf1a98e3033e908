// oxlint-disable-next-line no-control-regex -- JSON forbids them raw, and says so in these numbers
const string = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const word = /true|false|null/y;
const blanks = /[ \t\n\r]*/y;
// A byte order mark is no blank of JSON: it must not be eaten silently.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Why bytes are not JSON as sites exchange it. */
export class StrictJsonError extends Error {
  override readonly name = 'StrictJsonError';
}

/**
 * JSON from another site: RFC 8259 in valid UTF-8 and nothing that two parsers could read differently, so no name twice
 * in an object, no lone surrogate, no `__proto__`, no number beyond a double, no nesting deeper than `depthMax`.
 * @throws StrictJsonError
 */
export function parseStrictJson(bytes: Uint8Array, depthMax = 16): unknown {
  return new StrictParser(decoded(bytes), depthMax).document();
}

function decoded(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new StrictJsonError('not valid UTF-8');
  }
}

class StrictParser {
  readonly #text: string;
  readonly #depthMax: number;
  #at = 0;
  #depth = 0;

  constructor(text: string, depthMax: number) {
    this.#text = text;
    this.#depthMax = depthMax;
  }

  document(): unknown {
    const value = this.#value();
    this.#skipBlanks();
    if (this.#at !== this.#text.length) throw this.#unexpected();
    return value;
  }

  #value(): unknown {
    this.#skipBlanks();
    const first = this.#text[this.#at];
    if (first === '{') return this.#nested(() => this.#object());
    if (first === '[') return this.#nested(() => this.#array());
    if (first === '"') return this.#string();
    const literal = this.#match(word) ?? this.#match(number);
    if (literal === undefined) throw this.#unexpected();
    const value: unknown = JSON.parse(literal);
    if (typeof value === 'number' && !Number.isFinite(value)) throw new StrictJsonError('a number beyond a double');
    return value;
  }

  #nested<T>(read: () => T): T {
    this.#depth += 1;
    if (this.#depth > this.#depthMax) throw new StrictJsonError(`nested deeper than ${this.#depthMax}`);
    this.#at += 1;
    const value = read();
    this.#depth -= 1;
    return value;
  }

  #object(): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    if (this.#took('}')) return result;
    do {
      this.#skipBlanks();
      const name = this.#string();
      if (name === '__proto__') throw new StrictJsonError('a name that reaches the prototype');
      if (Object.hasOwn(result, name)) throw new StrictJsonError('a name twice in one object');
      this.#expect(':');
      result[name] = this.#value();
    } while (this.#took(','));
    this.#expect('}');
    return result;
  }

  #array(): unknown[] {
    const result: unknown[] = [];
    if (this.#took(']')) return result;
    do result.push(this.#value());
    while (this.#took(','));
    this.#expect(']');
    return result;
  }

  #string(): string {
    const literal = this.#match(string);
    if (literal === undefined) throw this.#unexpected();
    const value = JSON.parse(literal) as string;
    if (!value.isWellFormed()) throw new StrictJsonError('a lone surrogate');
    return value;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #took(character: string): boolean {
    this.#skipBlanks();
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #expect(character: string): void {
    if (!this.#took(character)) throw this.#unexpected();
  }

  #skipBlanks(): void {
    this.#match(blanks);
  }

  #unexpected(): StrictJsonError {
    return new StrictJsonError(`not JSON at character ${this.#at}`);
  }
}
