import type { AuditFilter } from '@boardwire/contracts';
import type { Line } from '../reading/entry-line.ts';
import type { EntrySearch, FoundPage, Search } from '../reading/entry-search.ts';
import type { LogExtent } from '../reading/log-extent.ts';

export interface LineRequest {
  extent: LogExtent;
  filter: AuditFilter;
  order: Search['order'];
}

const pageLines = 2_000;

/**
 * All that a filter matches, page after page, in a log that is taken to be as large as it was at the beginning. The
 * next page is looked up while one is being written: at most two are held at any time.
 */
export async function* linePages(search: EntrySearch, { extent, ...request }: LineRequest): AsyncGenerator<Line[]> {
  const pageBehind = (behind: number | undefined): Promise<FoundPage> => {
    const page = search.pageWithin(extent, { ...request, behind, limit: pageLines });
    // Whoever stops reading never asks for it.
    page.catch(() => undefined);
    return page;
  };
  let coming: Promise<FoundPage> | undefined = pageBehind(undefined);
  while (coming !== undefined) {
    // oxlint-disable-next-line no-await-in-loop -- one page after the other
    const { lines, next }: FoundPage = await coming;
    coming = next === null ? undefined : pageBehind(next);
    if (lines.length > 0) yield lines;
  }
}
