import { redactedBy, type StoredEvent } from '@boardwire/contracts';

/** What names an event on every site; the origin is not known of what was only just posted from here. */
export interface EventName {
  origin: string | undefined;
  source: string;
  id: string;
}

/** A page on its way may still bring what has just been removed; nothing is on its way for as long as this takes. */
const keptMax = 2_000;

/** What a board's notices have said is gone, so that it goes from the screen in whatever order the two arrive. */
export class Removals {
  readonly #origins = new Map<string, Set<string>>();

  /** @returns whether the event is such a notice. */
  learn(event: StoredEvent): boolean {
    const gone = redactedBy(event);
    if (gone === undefined) return false;
    const key = keyOf(gone);
    const origins = this.#origins.get(key) ?? new Set();
    this.#origins.set(key, origins.add(gone.origin));
    const [oldest] = this.#origins.keys();
    if (this.#origins.size > keptMax) this.#origins.delete(oldest!);
    return true;
  }

  isGone(name: EventName): boolean {
    const origins = this.#origins.get(keyOf(name));
    return origins !== undefined && (name.origin === undefined || origins.has(name.origin));
  }
}

const keyOf = ({ source, id }: { source: string; id: string }) => JSON.stringify([source, id]);
