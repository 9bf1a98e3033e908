import { limits } from './limits.ts';

/** `%XX` of a character that stands for itself is refused: one text, one token, so that nobody splits a subject in two. */
const plainToken = /^(?:[A-Za-z0-9_~-]|%(?!3[0-9]|[46][1-9A-F]|[57][0-9A]|5F|7E|2D)[0-9A-F]{2})+$/;
const plainByte = /[A-Za-z0-9_~-]/;

/**
 * Encodes any text as one subject token: `[A-Za-z0-9_~-]` stay, every other UTF-8 byte becomes `%XX`, so that foreign
 * ids with spaces, dots, `*` or `>` survive the trip through NATS subjects and back. Half a surrogate pair becomes
 * U+FFFD. Empty text has no token: the answer is empty, and no subject takes it.
 */
export function encodeToken(text: string): string {
  let token = '';
  for (const byte of new TextEncoder().encode(text)) {
    const character = String.fromCharCode(byte);
    token += plainByte.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return token;
}

/** Reverses {@link encodeToken}. Returns undefined when the token is not valid or not valid UTF-8. */
export function decodeToken(token: string): string | undefined {
  if (!plainToken.test(token)) return undefined;
  try {
    return decodeURIComponent(token);
  } catch {
    return undefined;
  }
}

/** True for 1–16 dot-separated tokens, at most 255 bytes, no wildcard. */
export function isSubject(subject: string): boolean {
  if (subject.length === 0 || subject.length > limits.subjectBytesMax) return false;
  const tokens = subject.split('.');
  return tokens.length <= limits.subjectTokensMax && tokens.every((token) => plainToken.test(token));
}

/** True for a subject in which a token may be `*` and the last may be `>`. */
export function isFilter(filter: string): boolean {
  if (filter.length === 0 || filter.length > limits.subjectBytesMax) return false;
  const tokens = filter.split('.');
  if (tokens.length > limits.subjectTokensMax) return false;
  return tokens.every(
    (token, at) => token === '*' || (token === '>' && at === tokens.length - 1) || plainToken.test(token),
  );
}

/** The plain matcher every faster one is tested against. `*` is one token, a final `>` is one or more. */
export function matchesFilter(filter: string, subject: string): boolean {
  const wanted = filter.split('.');
  const given = subject.split('.');
  for (const [at, token] of wanted.entries()) {
    if (token === '>') return given.length > at;
    if (at >= given.length || (token !== '*' && token !== given[at])) return false;
  }
  return wanted.length === given.length;
}

/**
 * The filter that matches exactly what both match, or undefined when nothing can match both.
 * Two wildcard filters always intersect in at most one filter of this grammar.
 */
export function intersectFilters(left: string, right: string): string | undefined {
  const a = left.split('.');
  const b = right.split('.');
  const out: string[] = [];
  for (let at = 0; ; at += 1) {
    const x = a[at];
    const y = b[at];
    if (x === undefined && y === undefined) return filterOf(out);
    if (x === '>' && y !== undefined) return filterOf([...out, ...b.slice(at)]);
    if (y === '>' && x !== undefined) return filterOf([...out, ...a.slice(at)]);
    if (x === undefined || y === undefined) return undefined;
    if (x === '*') out.push(y);
    else if (y === '*' || x === y) out.push(x);
    else return undefined;
  }
}

/** A subject is never shorter than a filter that it matches: a filter above the limit matches nothing. */
function filterOf(tokens: readonly string[]): string | undefined {
  const filter = tokens.join('.');
  return filter.length <= limits.subjectBytesMax ? filter : undefined;
}

/** What is left of the wanted filters under the granted ones, without repeats. */
export function intersectFilterSets(wanted: readonly string[], granted: readonly string[]): string[] {
  const out = new Set<string>();
  for (const left of wanted) {
    for (const right of granted) {
      const both = intersectFilters(left, right);
      if (both !== undefined) out.add(both);
    }
  }
  return [...out];
}
