import { auditFacetNames, type AuditFacetName, type AuditFacets, type AuditFilter } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import { matchingEntries } from './entry-search.ts';
import { daysIn, narrowed, rangeOf, readExtent, type LogExtent, type Range } from './log-extent.ts';
import { Parameters } from './parameters.ts';

const countedMax = 100_000;
const valuesMax = 20;
const windowRows = 131_072;
const searchMs = 2_500;

const columns: Readonly<Record<AuditFacetName, string>> = {
  kind: 'e.kind',
  action: `CASE e.kind WHEN 'event' THEN 'publish' ELSE e.type END`,
  outcome: `coalesce(e.outcome, 'done')`,
  board: 'e.board',
  actor: 'e.actor',
  site: 'e.origin',
  type: `CASE e.kind WHEN 'event' THEN e.type END`,
  readiness: 'r.readiness',
};

type Counts = Record<AuditFacetName, Map<string, number>>;

/** Counts what the newest matching entries have in common. */
export class FacetCounter {
  constructor(private readonly database: Database) {}

  async facets(filter: AuditFilter): Promise<AuditFacets> {
    const extent = narrowed(await readExtent(this.database), filter);
    const startedAt = performance.now();
    const counts = Object.fromEntries(auditFacetNames.map((name) => [name, new Map()])) as Counts;
    const { low, high } = rangeOf(extent);
    let counted = 0;
    let end = high;
    while (end > low && counted < countedMax && performance.now() - startedAt < searchMs) {
      const window = { low: Math.max(low, end - windowRows), high: end };
      // oxlint-disable-next-line no-await-in-loop -- one stretch after the other, from the newest
      counted += await this.#count(counts, extent, { filter, window, limit: countedMax - counted });
      end = window.low;
    }
    return { facets: frequent(counts), counted, is_complete: counted < countedMax && end <= low };
  }

  /** Adds what one stretch holds and answers how many entries that were. */
  async #count(
    counts: Counts,
    extent: LogExtent,
    { filter, window, limit }: { filter: AuditFilter; window: Range; limit: number },
  ): Promise<number> {
    const parameters = new Parameters();
    const days = daysIn(extent, window);
    if (days.length === 0) return 0;
    const matching = matchingEntries({ filter, window, days }, parameters);
    const named = auditFacetNames.filter((name) => name !== 'readiness').map((name) => `${columns[name]} AS ${name}`);
    const names = auditFacetNames.join(', ');
    const rows = await this.database.query<{ mask: number; value: string | null; count: number }>(
      `WITH found AS MATERIALIZED (
         SELECT e.seq, ${named.join(', ')} ${matching} ORDER BY e.seq DESC LIMIT ${parameters.add(limit)}
       )
       SELECT grouping(${names}) AS mask, coalesce(${names}) AS value, count(*) AS count
       FROM found LEFT JOIN (
         SELECT seq, readiness FROM detail
         WHERE readiness IS NOT NULL AND seq >= ${parameters.add(window.low)} AND seq < ${parameters.add(window.high)}
       ) AS r USING (seq)
       GROUP BY GROUPING SETS (${auditFacetNames.map((name) => `(${name})`).join(', ')}, ())`,
      parameters.values,
    );
    return addTo(counts, rows);
  }
}

/** A bit of the mask is 0 for the one column that a row is grouped by. */
function addTo(counts: Counts, rows: readonly { mask: number; value: string | null; count: number }[]): number {
  const all = 2 ** auditFacetNames.length - 1;
  let counted = 0;
  for (const { mask, value, count } of rows) {
    if (mask === all) counted = count;
    else if (value !== null) {
      const name = auditFacetNames[auditFacetNames.length - 1 - Math.log2(all - mask)]!;
      counts[name].set(value, (counts[name].get(value) ?? 0) + count);
    }
  }
  return counted;
}

function frequent(counts: Counts): AuditFacets['facets'] {
  const lists = Object.entries(counts).map(([name, values]): [string, { value: string; count: number }[]] => [
    name,
    [...values]
      .map(([value, count]) => ({ value, count }))
      .sort((left, right) => right.count - left.count || (left.value < right.value ? -1 : 1))
      .slice(0, valuesMax),
  ]);
  return Object.fromEntries(lists) as AuditFacets['facets'];
}
