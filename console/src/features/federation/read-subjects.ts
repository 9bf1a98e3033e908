import { filterSchema } from '@boardwire/contracts';

const filtersMax = 32;

/** The filters of a line, as a room has them; `problem` when there is one. */
export function readSubjects(text: string): { subjects: string[]; problem: string | undefined } {
  const subjects = text.split(/\s+/).filter((filter) => filter !== '');
  const wrong = subjects.find((filter) => !filterSchema.safeParse(filter).success);
  if (subjects.length === 0) return { subjects, problem: 'At least one filter; > stands for everything' };
  if (subjects.length > filtersMax) return { subjects, problem: `At most ${filtersMax} filters` };
  return { subjects, problem: wrong === undefined ? undefined : `Not a filter: ${wrong}` };
}
