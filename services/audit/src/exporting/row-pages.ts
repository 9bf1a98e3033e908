import type { AuditFilter } from '@boardwire/contracts';
import type { RecordRow } from '../reading/entry-line.ts';
import type { EntrySearch, FoundPage, Search } from '../reading/entry-search.ts';
import type { LogExtent } from '../reading/log-extent.ts';

export interface RowsRequest {
  extent: LogExtent;
  filter: AuditFilter;
  order: Search['order'];
}

/**
 * A question costs the database some milliseconds before its first row: enough rows that this is little of a page, few
 * enough that two pages are a few megabytes.
 */
const pageRows = 1_500;

/**
 * All that a filter matches, page after page, in a log that is taken to be as large as it was at the beginning. The
 * next page is looked up while one is being written: at most two are held at any time.
 */
export async function* rowPages<Row extends RecordRow>(
  search: EntrySearch<Row>,
  { extent, ...request }: RowsRequest,
): AsyncGenerator<Row[]> {
  const pageBehind = (behind: number | undefined): Promise<FoundPage<Row>> => {
    const page = search.pageWithin(extent, { ...request, behind, limit: pageRows });
    // Whoever stops reading never asks for it.
    page.catch(() => undefined);
    return page;
  };
  let coming: Promise<FoundPage<Row>> | undefined = pageBehind(undefined);
  while (coming !== undefined) {
    // oxlint-disable-next-line no-await-in-loop -- one page after the other
    const { rows, next }: FoundPage<Row> = await coming;
    coming = next === null ? undefined : pageBehind(next);
    if (rows.length > 0) yield rows;
  }
}
