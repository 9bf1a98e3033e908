import { accessRuleOf, matchesFilter, type StoredClass, type SubjectRule } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import { AppError } from '@boardwire/service-kit';
import { bounds } from '../bounds.ts';

export interface WantedSubjects {
  subjects: readonly string[];
  /** Then `subjects` reach open subjects alone, and these the board's `members` subjects. */
  memberSubjects?: readonly string[] | undefined;
  types?: readonly string[] | undefined;
  classes?: readonly StoredClass[] | undefined;
}

interface GuardedBoard {
  id: number;
  rules: readonly SubjectRule[];
}

interface SubjectRow {
  id: number;
  subject: string;
}

/** Turns filters into the numbers of the subjects that a board has actually seen. */
export class SubjectFilters {
  constructor(private readonly database: Database) {}

  /** Undefined: the filters let everything through, or too much to be named; the reader's gateway looks again. */
  async resolve({ id, rules }: GuardedBoard, wanted: WantedSubjects): Promise<number[] | undefined> {
    const { subjects, memberSubjects = [], types, classes } = wanted;
    const isGuarded = wanted.memberSubjects !== undefined && rules.some(({ access }) => access === 'members');
    const isEverything = subjects.includes('>') && types === undefined && classes === undefined;
    if (isEverything && !(isGuarded && (await this.#hasMatching(id, guardedPatterns(rules))))) return undefined;
    const found = await this.#matching(id, subjects, wanted);
    if (found.length > bounds.historySubjectsMax) {
      if (isEverything) return undefined;
      throw new AppError('invalid_filter', { detail: `more than ${bounds.historySubjectsMax} subjects match` });
    }
    if (!isGuarded) return numbersOf(found);
    const accessOf = ({ subject }: SubjectRow) => accessRuleOf(rules, subject, matchesFilter);
    const open = found.filter((row) => accessOf(row) === 'open');
    const own = memberSubjects.length === 0 ? [] : await this.#matching(id, memberSubjects, wanted);
    return numbersOf([...open, ...own.filter((row) => accessOf(row) === 'members')]);
  }

  #matching(boardId: number, filters: readonly string[], { types, classes }: WantedSubjects): Promise<SubjectRow[]> {
    const [exact, patterns] = [filters.filter((filter) => !isWild(filter)), filters.filter(isWild).map(patternOf)];
    const limit = bounds.historySubjectsMax + 1;
    return this.database.query(matching, [boardId, exact, patterns, types ?? null, classes ?? null, limit]);
  }

  async #hasMatching(boardId: number, filters: readonly string[]): Promise<boolean> {
    const [exact, patterns] = [filters.filter((filter) => !isWild(filter)), filters.filter(isWild).map(patternOf)];
    return (await this.database.query(matching, [boardId, exact, patterns, null, null, 1])).length > 0;
  }
}

const numbersOf = (rows: readonly SubjectRow[]) => rows.map(({ id }) => id);

const guardedPatterns = (rules: readonly SubjectRule[]) =>
  rules.filter(({ access }) => access === 'members').map(({ pattern }) => pattern);

const isWild = (filter: string) => /(?:^|\.)[*>](?:\.|$)/.test(filter);

/** A filter as a regular expression; what is no wildcard holds only characters that mean themselves, and dots. */
function patternOf(filter: string): string {
  const tokens = filter.split('.').map((token) => (token === '*' ? '[^.]+' : token === '>' ? '.+' : token));
  return `^${tokens.join('\\.')}$`;
}

const matching = `
  SELECT id, subject FROM board_subject
  WHERE board_id = $1 AND (subject = ANY($2::text[]) OR subject ~ ANY($3::text[]))
    AND ($4::text[] IS NULL OR type = ANY($4)) AND ($5::text[] IS NULL OR class = ANY($5))
  LIMIT $6`;
