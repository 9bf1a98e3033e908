import { matchesFilter } from '@boardwire/contracts';

const rememberedMax = 4_096;

/** What one subscription wants to see: filters already intersected with rights, and event types if it names any. */
export class FilterSet {
  /** Equal for sets that match the same events by the same words. */
  readonly key: string;
  readonly filters: readonly string[];
  readonly types: ReadonlySet<string> | undefined;
  readonly #remembered = new Map<string, boolean>();

  constructor(filters: readonly string[], types?: readonly string[]) {
    this.filters = [...new Set(filters)].toSorted();
    this.types = types === undefined || types.length === 0 ? undefined : new Set(types);
    this.key = JSON.stringify([this.filters, this.types === undefined ? null : [...this.types].toSorted()]);
  }

  takesType(type: string): boolean {
    return this.types === undefined || this.types.has(type);
  }

  matches(subject: string, type: string): boolean {
    return this.takesType(type) && this.matchesSubject(subject);
  }

  matchesSubject(subject: string): boolean {
    let known = this.#remembered.get(subject);
    if (known === undefined) {
      known = this.filters.some((filter) => matchesFilter(filter, subject));
      if (this.#remembered.size >= rememberedMax) this.#remembered.clear();
      this.#remembered.set(subject, known);
    }
    return known;
  }
}
