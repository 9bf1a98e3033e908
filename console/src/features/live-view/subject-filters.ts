import { isFilter, limits } from '@boardwire/contracts';

export const exampleFilters = ['>', 'AxonChat.>', 'GameScore', 'SystemAlert', 'room.*.decision'] as const;

/** Reads filters from a line of text: separated by blanks or commas; none means everything. */
export function readFilters(text: string): { filters: string[]; problem?: string } {
  const filters = [...new Set(text.split(/[\s,]+/).filter((part) => part !== ''))];
  if (filters.length === 0) return { filters: ['>'] };
  const wrong = filters.find((filter) => !isFilter(filter));
  if (wrong !== undefined) {
    const hint = 'tokens of letters, digits, _ ~ - or %XX between dots; * is one token, a final > one or more';
    return { filters, problem: `“${wrong}” is not a subject filter: ${hint}` };
  }
  if (filters.length > limits.filtersPerSubscriptionMax) {
    return { filters, problem: `At most ${limits.filtersPerSubscriptionMax} filters at once` };
  }
  return { filters };
}
