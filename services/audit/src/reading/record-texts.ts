const quote = 0x22;
const backslash = 0x5c;

/**
 * The members of a record by name, each as the JSON text it has there. For our own records only: a flat object in
 * canonical form (RFC 8785), so that nothing stands between members but a comma, and no member is an object or array.
 */
export function recordTexts(record: string): Record<string, string> {
  return usual.read(record) ?? usual.learn(walk(record));
}

/** Most records have the same members: one regular expression takes such a one apart in half the time. */
class UsualMembers {
  #names: readonly string[] = [];
  #pattern: RegExp | undefined;
  #last = '';

  /** Undefined for a record with other members, or with an escape in a text. */
  read(record: string): Record<string, string> | undefined {
    const found = this.#pattern?.exec(record);
    if (found === null || found === undefined) return undefined;
    const texts: Record<string, string> = {};
    for (let at = 0; at < this.#names.length; at += 1) texts[this.#names[at]!] = found[at + 1]!;
    return texts;
  }

  /** Two in a row make the usual, so that a mixture doesn't have one made for each. */
  learn(texts: Record<string, string>): Record<string, string> {
    const names = Object.keys(texts);
    const these = names.join(',');
    if (these === this.#last && names.every((name) => plainName.test(name))) {
      this.#names = names;
      this.#pattern = new RegExp(String.raw`^\{${names.map((name) => `"${name}":${unescaped}`).join(',')}\}$`);
    }
    this.#last = these;
    return texts;
  }
}

const plainName = /^\w+$/;
const unescaped = String.raw`("[^"\\]*"|[^",]+)`;
const usual = new UsualMembers();

function walk(record: string): Record<string, string> {
  const texts: Record<string, string> = {};
  const end = record.length - 1;
  for (let at = 1; at < end;) {
    const nameEnd = record.indexOf('"', at + 1);
    const start = nameEnd + 2;
    const stop = record.charCodeAt(start) === quote ? stringEnd(record, start) : valueEnd(record, start);
    if (nameEnd < 0 || stop > end) throw new SyntaxError('a record is not what this service writes');
    texts[record.slice(at + 1, nameEnd)] = record.slice(start, stop);
    at = stop + 1;
  }
  return texts;
}

/** Behind the closing quote of the string that begins at `start`. */
function stringEnd(text: string, start: number): number {
  let at = text.indexOf('"', start + 1);
  while (at >= 0 && isEscaped(text, at)) at = text.indexOf('"', at + 1);
  return at < 0 ? Infinity : at + 1;
}

/** A quote behind an odd number of backslashes belongs to the string. */
function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (text.charCodeAt(at - 1 - slashes) === backslash) slashes += 1;
  return slashes % 2 === 1;
}

function valueEnd(text: string, start: number): number {
  const at = text.indexOf(',', start);
  return at < 0 ? text.length - 1 : at;
}
