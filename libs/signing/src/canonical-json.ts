const depthMax = 64;

/**
 * The canonical form of a JSON value (RFC 8785, JCS): members sorted by UTF-16 code units, no blanks, numbers and
 * strings as ECMAScript writes them. Throws a TypeError for what JSON cannot say (undefined members, NaN, lone
 * surrogates, bigint, functions, nesting beyond 64): a signature must never cover a value that silently lost a part.
 */
export function canonicalJson(value: unknown): string {
  if (!isInOrder(value, 0)) return write(value, 0);
  const text = JSON.stringify(value);
  // Half a surrogate pair comes out escaped like this, and so may other text: the slow way tells them apart.
  return text.includes(String.raw`\ud`) ? write(value, 0) : text;
}

/** {@link canonicalJson} as the UTF-8 bytes that are signed and hashed. */
export function canonicalBytes(value: unknown): Buffer {
  return Buffer.from(canonicalJson(value), 'utf8');
}

/** Whether JSON.stringify writes this as the canonical form has it, half pairs aside: most of what is read back is so. */
function isInOrder(value: unknown, depth: number): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || depth > depthMax) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  let before = '';
  for (const [at, name] of Object.keys(value).entries()) {
    if ((at > 0 && name < before) || !isInOrder((value as Record<string, unknown>)[name], depth + 1)) return false;
    before = name;
  }
  return true;
}

function write(value: unknown, depth: number): string {
  if (depth > depthMax) throw new TypeError(`nested deeper than ${depthMax}`);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return canonicalString(value);
  if (typeof value === 'number') return canonicalNumber(value);
  if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1)).join(',')}]`;
  if (typeof value === 'object') return writeObject(value, depth);
  throw new TypeError(`JSON has no ${typeof value}`);
}

function writeObject(value: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw new TypeError('only plain objects have a JSON form');
  const members = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
  return `{${members.map(([name, member]) => `${canonicalString(name)}:${write(member, depth + 1)}`).join(',')}}`;
}

/** One string in canonical form. Throws a TypeError for a lone surrogate. */
export function canonicalString(text: string): string {
  if (!text.isWellFormed()) throw new TypeError('a lone surrogate has no canonical form');
  return JSON.stringify(text);
}

function canonicalNumber(value: number): string {
  if (!Number.isFinite(value)) throw new TypeError(`JSON has no ${value}`);
  return JSON.stringify(value);
}
