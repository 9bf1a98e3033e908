import type { Queryable } from '@boardwire/database';
import { AppError } from '@boardwire/service-kit';
import type { LogPlace } from '../log/log-place.ts';

/** One epoch of the log and how much of it is stored here. */
export interface LogSpan extends LogPlace {
  epoch: string;
  /** Leaves of its tree that are stored. */
  leaves: number;
}

const selectSpans = `
  SELECT era, epoch, first_seq AS "firstSeq", size - first_seq AS leaves FROM tree
  UNION ALL SELECT era, epoch, first_seq, kept FROM former_epoch`;

/** The epoch that is being written, or the one that is named. */
export async function logSpan(database: Queryable, epoch?: string): Promise<LogSpan> {
  const [span] = await database.query<LogSpan>(
    `SELECT * FROM (${selectSpans}) AS s WHERE epoch = $1 OR $1 IS NULL ORDER BY era DESC LIMIT 1`,
    [epoch ?? null],
  );
  if (span !== undefined) return span;
  if (epoch === undefined) throw new AppError('starting');
  throw new AppError('not_found', { detail: 'no such epoch of the log' });
}

/** Every epoch, the oldest first. */
export function logSpans(database: Queryable): Promise<LogSpan[]> {
  return database.query<LogSpan>(`${selectSpans} ORDER BY era`);
}

/** The epoch that an entry was appended in; undefined for no entry. */
export async function spanOfEntry(database: Queryable, seq: number): Promise<LogSpan | undefined> {
  const [span] = await database.query<LogSpan>(
    `SELECT * FROM (${selectSpans}) AS s WHERE "firstSeq" <= $1 AND "firstSeq" + leaves > $1`,
    [seq],
  );
  return span;
}
