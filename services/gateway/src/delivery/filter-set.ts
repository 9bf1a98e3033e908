import { matchesFilter, redactedType } from '@boardwire/contracts';
import { createHash } from 'node:crypto';
import type { IgnoredAuthors } from '../rights/ignored-authors.ts';

const rememberedMax = 4_096;
/** A longer key is replaced by its hash: it is part of the key of every slice and group. */
const keyCharsMax = 256;

/**
 * What one subscription wants to see, as far as its reader may: filters for open subjects, filters for `members` subjects
 * (those that memberships reach, never a token's wildcards), event types if it names any, and whom its reader ignores.
 */
export class FilterSet {
  /** Equal for sets that match the same events by the same words and the same rights. */
  readonly key: string;
  readonly filters: readonly string[];
  readonly memberFilters: readonly string[];
  readonly types: ReadonlySet<string> | undefined;
  readonly ignored: IgnoredAuthors | undefined;
  readonly #open: (subject: string) => boolean;
  readonly #members: (subject: string) => boolean;

  constructor(
    filters: readonly string[],
    types?: readonly string[],
    memberFilters: readonly string[] = [],
    ignored?: IgnoredAuthors,
  ) {
    this.filters = [...new Set(filters)].toSorted();
    this.memberFilters = [...new Set(memberFilters)].toSorted();
    this.types = types === undefined || types.length === 0 ? undefined : new Set(types);
    this.ignored = ignored;
    this.key = keyOf([
      this.filters,
      this.types === undefined ? null : [...this.types].toSorted(),
      ...(this.memberFilters.length === 0 && ignored === undefined ? [] : [this.memberFilters]),
      ...(ignored === undefined ? [] : [ignored.key]),
    ]);
    this.#open = remembering(this.filters);
    this.#members = remembering(this.memberFilters);
  }

  takesType(type: string): boolean {
    return this.types === undefined || this.types.has(type);
  }

  /**
   * Whether its reader ignores who wrote an event that has its content: costs a look into the bytes, and nothing for who
   * ignores nobody. That something was removed is the platform's word, whoever's it was.
   */
  ignores({ type, bytes }: { type: string; bytes: Buffer | string }): boolean {
    return this.ignored !== undefined && type !== redactedType && this.ignored.wrote(bytes);
  }

  /** @param isOpen whether the subject is open under the rules of its board, or of its members alone. */
  matches(subject: string, type: string, isOpen: boolean): boolean {
    return this.takesType(type) && this.matchesSubject(subject, isOpen);
  }

  matchesSubject(subject: string, isOpen: boolean): boolean {
    return isOpen ? this.#open(subject) : this.#members(subject);
  }
}

function remembering(filters: readonly string[]): (subject: string) => boolean {
  if (filters.length === 0) return () => false;
  const remembered = new Map<string, boolean>();
  return (subject) => {
    let known = remembered.get(subject);
    if (known === undefined) {
      known = filters.some((filter) => matchesFilter(filter, subject));
      if (remembered.size >= rememberedMax) remembered.clear();
      remembered.set(subject, known);
    }
    return known;
  };
}

function keyOf(parts: unknown): string {
  const text = JSON.stringify(parts);
  return text.length <= keyCharsMax ? text : createHash('sha256').update(text).digest('base64');
}
