/** Code points that a message may have on this wire. */
export const messageTextMax = 500;

/**
 * The text as it is posted: cut after 500 code points, and before that at the end of the last whole character, so that
 * no emoji or accent is torn. Undefined when there is nothing to read in it.
 */
export function messageText(given: string): string | undefined {
  const text = given.toWellFormed();
  // Zero-width and control characters show nothing either.
  if (!/[^\s\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text)) return undefined;
  const points = Array.from(codePoints(text, messageTextMax + 1));
  if (points.length <= messageTextMax) return text;
  return wholeCharacters(points.join(''), messageTextMax) || points.slice(0, messageTextMax).join('');
}

/** At most `max` code points: a text may be a megabyte, and only its head matters. */
function* codePoints(text: string, max: number): Generator<string> {
  let count = 0;
  for (const point of text) {
    if (count === max) return;
    count += 1;
    yield point;
  }
}

/** The longest run of whole graphemes (UAX #29) with at most `max` code points. */
function wholeCharacters(text: string, max: number): string {
  let kept = '';
  let count = 0;
  for (const { segment } of new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(text)) {
    count += Array.from(segment).length;
    if (count > max) break;
    kept += segment;
  }
  return kept;
}
