import type { AuditFilter } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';

export interface DaySpan {
  day: string;
  first: number;
  last: number;
}

/** How far the log reaches, and which days its entries stand on, as of one moment. */
export interface LogExtent {
  size: number;
  /** In the order of the log. Days of different zones overlap. */
  days: DaySpan[];
}

/** From `low` to before `high`. */
export interface Range {
  low: number;
  high: number;
}

/** No zone is further than this from UTC. */
const zoneMaxHours = 14;

export async function readExtent(database: Database): Promise<LogExtent> {
  const rows = await database.query<{ size: number; day: string | null; first: number; last: number }>(
    `SELECT size, day::text, day_count.first_seq AS first, last_seq AS last FROM tree LEFT JOIN day_count ON true
     ORDER BY day_count.first_seq`,
  );
  const days = rows.flatMap(({ day, first, last }) => (day === null ? [] : [{ day, first, last }]));
  return { size: rows[0]?.size ?? 0, days };
}

/** The extent without the days that a filter's times rule out; where it names days, with those alone. */
export function narrowed({ size, days }: LogExtent, { day: wanted, from, to }: AuditFilter): LogExtent {
  const first = from === undefined ? '' : shifted(from, -zoneMaxHours);
  const last = to === undefined ? '9999-99-99' : shifted(to, zoneMaxHours);
  return { size, days: days.filter(({ day }) => first <= day && day <= last && wanted?.includes(day) !== false) };
}

/** All places that an extent's days hold. */
export function rangeOf({ days }: LogExtent): Range {
  if (days.length === 0) return { low: 0, high: 0 };
  return { low: days[0]!.first, high: Math.max(...days.map(({ last }) => last)) + 1 };
}

/** Days that may hold entries of a range. Given by value, they keep the planner out of all other partitions. */
export function daysIn({ days }: LogExtent, { low, high }: Range): string[] {
  return days.filter(({ first, last }) => first < high && last >= low).map(({ day }) => day);
}

function shifted(instant: string, hours: number): string {
  return new Date(Date.parse(instant) + hours * 3_600_000).toISOString().slice(0, 10);
}
