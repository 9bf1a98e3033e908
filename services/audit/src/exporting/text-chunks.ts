/** Large enough for few writes, small enough that what a text is joined from is short-lived. */
const chunkChars = 65_536;

/** Texts in a row, as UTF-8 in chunks of about 64 KiB. */
export function* textChunks<T>(items: Iterable<T>, textOf: (item: T) => string): Generator<Buffer> {
  let text = '';
  for (const item of items) {
    text += textOf(item);
    if (text.length < chunkChars) continue;
    yield Buffer.from(text, 'utf8');
    text = '';
  }
  if (text !== '') yield Buffer.from(text, 'utf8');
}
