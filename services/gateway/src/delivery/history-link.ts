import { formatCursor, limits } from '@boardwire/contracts';
import type { FilterSet } from './filter-set.ts';

/** Where what is too much for a replay can be read page by page: the address of history from a position on. */
export function historyLink(board: string, from: { epoch: string; seq: number }, wanted: FilterSet): string {
  const query = new URLSearchParams({ after: formatCursor(from.epoch, from.seq) });
  const subjects = new Set([...wanted.filters, ...wanted.memberFilters]);
  // Rights can make more of them than one may ask for; without any, history shows all that the reader may see.
  if (subjects.size <= limits.filtersPerSubscriptionMax)
    for (const subject of subjects) query.append('subject', subject);
  for (const type of wanted.types ?? []) query.append('type', type);
  return `/v1/boards/${board}/events?${query.toString()}`;
}
