import type { StoredEvent } from '@boardwire/contracts';
import { createHash } from 'node:crypto';

/** Whom somebody ignores, each as `author@site`. */
export class IgnoredAuthors {
  /** Equal for equal sets, and short whatever their size. */
  readonly key: string;
  readonly #authors: ReadonlySet<string>;

  constructor(authors: readonly string[]) {
    this.#authors = new Set(authors);
    const text = JSON.stringify([...this.#authors].toSorted());
    this.key = createHash('sha256').update(text).digest('base64');
  }

  /** @param bytes a stored event's JSON */
  wrote(bytes: Buffer | string): boolean {
    return this.#authors.has(typeof bytes === 'string' ? authorOf(bytes) : rememberedAuthor(bytes));
  }
}

const remembered = new WeakMap<Buffer, string>();

/** However many ignore somebody, an event is looked into once. */
function rememberedAuthor(bytes: Buffer): string {
  let author = remembered.get(bytes);
  if (author === undefined) remembered.set(bytes, (author = authorOf(bytes.toString())));
  return author;
}

/**
 * What the platform says of an event stands beside its payload, and a payload could say anything: so all is parsed. What
 * can't be parsed is nobody's, and must not end the pass in which others get theirs.
 */
function authorOf(json: string): string {
  try {
    const { author, origin } = JSON.parse(json) as StoredEvent;
    return `${author}@${origin}`;
  } catch {
    return '';
  }
}
