import type { PresentUser } from '@boardwire/contracts';

/** Someone's open subscription. */
export interface Attendance {
  readonly user: PresentUser;
  /** What is reached after rights, as `reachOf` says it. */
  readonly filters: readonly string[];
}

/** Where somebody sits: a board, seen through one set of filters. Tabs that ask for the same share a seat. */
export interface Seat extends Attendance {
  readonly board: string;
}

/** A seat, and how many subscriptions keep it on one pod; none: it is empty there. */
export interface SeatState extends Seat {
  readonly open: number;
}

/** Who is a member of more than this is seen through the first of them only. */
export const seatFiltersMax = 512;

const filterKeys = new WeakMap<readonly string[], string>();

/** Equal for equal sets of filters. */
export function filtersKey(filters: readonly string[]): string {
  let key = filterKeys.get(filters);
  if (key === undefined) {
    // A filter holds no blank.
    key = [...new Set(filters)].toSorted().join(' ');
    filterKeys.set(filters, key);
  }
  return key;
}

/** Equal for the same user at the same place. */
export function seatKey({ board, user, filters }: Seat): string {
  return `${board}\n${user.id}\n${filtersKey(filters)}`;
}
