/** An event as a site's board has it. */
export interface HeldEvent {
  id: string;
  /** The site that accepted it. */
  origin: string;
  /** SHA-256 of all that its publisher gave. */
  hash: string;
}

export interface Agreement {
  name: string;
  events: number;
  missing: number;
  twice: number;
  /** Other content under a known id, or an event that nobody posted. */
  foreign: number;
  /** Before an event that its origin accepted earlier. */
  misplaced: number;
}

export const isWhole = ({ missing, twice, foreign, misplaced }: Agreement): boolean =>
  missing + twice + foreign + misplaced === 0;

/**
 * Compares what a site holds with what was accepted anywhere: `accepted` has each origin's events in the order in which it
 * took them.
 */
export function agree(name: string, held: readonly HeldEvent[], accepted: readonly HeldEvent[]): Agreement {
  const known = new Map(accepted.map((event, place) => [keyOf(event), { ...event, place }]));
  const seen = new Set<string>();
  const lastPlace = new Map<string, number>();
  const result: Agreement = { name, events: held.length, missing: 0, twice: 0, foreign: 0, misplaced: 0 };
  for (const event of held) {
    const key = keyOf(event);
    const expected = known.get(key);
    if (expected === undefined || expected.hash !== event.hash) result.foreign += 1;
    else if (seen.has(key)) result.twice += 1;
    else if (expected.place < (lastPlace.get(event.origin) ?? -1)) result.misplaced += 1;
    else lastPlace.set(event.origin, expected.place);
    seen.add(key);
  }
  result.missing = [...known.keys()].filter((key) => !seen.has(key)).length;
  return result;
}

const keyOf = ({ origin, id }: HeldEvent) => `${origin} ${id}`;
