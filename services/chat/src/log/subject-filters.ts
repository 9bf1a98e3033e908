import type { StoredClass } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import { AppError } from '@boardwire/service-kit';
import { bounds } from '../bounds.ts';

export interface WantedSubjects {
  subjects: readonly string[];
  types?: readonly string[] | undefined;
  classes?: readonly StoredClass[] | undefined;
}

/** Turns filters into the numbers of the subjects that a board has actually seen. */
export class SubjectFilters {
  constructor(private readonly database: Database) {}

  /** Undefined: the filters let everything through. */
  async resolve(boardId: number, wanted: WantedSubjects): Promise<number[] | undefined> {
    const { subjects, types, classes } = wanted;
    if (subjects.includes('>') && types === undefined && classes === undefined) return undefined;
    const exact = subjects.filter((filter) => !isWild(filter));
    const patterns = subjects.filter(isWild).map(patternOf);
    const rows = await this.database.query<{ id: number }>(matching, [
      boardId,
      exact,
      patterns,
      types ?? null,
      classes ?? null,
      bounds.historySubjectsMax + 1,
    ]);
    if (rows.length > bounds.historySubjectsMax) {
      throw new AppError('invalid_filter', { detail: `more than ${bounds.historySubjectsMax} subjects match` });
    }
    return rows.map(({ id }) => id);
  }
}

const isWild = (filter: string) => /(?:^|\.)[*>](?:\.|$)/.test(filter);

/** A filter as a regular expression; what is no wildcard holds only characters that mean themselves, and dots. */
function patternOf(filter: string): string {
  const tokens = filter.split('.').map((token) => (token === '*' ? '[^.]+' : token === '>' ? '.+' : token));
  return `^${tokens.join('\\.')}$`;
}

const matching = `
  SELECT id FROM board_subject
  WHERE board_id = $1 AND (subject = ANY($2::text[]) OR subject ~ ANY($3::text[]))
    AND ($4::text[] IS NULL OR type = ANY($4)) AND ($5::text[] IS NULL OR class = ANY($5))
  LIMIT $6`;
