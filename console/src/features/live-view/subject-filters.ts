import { isFilter, limits } from '@boardwire/contracts';

export const exampleFilters = ['>', 'AxonChat.>', '*.lobby', 'GameScore', 'lounge.>'] as const;

/** Reads filters from a line of text: separated by blanks or commas; none means everything. */
export function readFilters(text: string): { filters: string[]; problem?: string } {
  const filters = [...new Set(text.split(/[\s,]+/).filter((part) => part !== ''))];
  if (filters.length === 0) return { filters: ['>'] };
  const wrong = filters.find((filter) => !isFilter(filter));
  if (wrong !== undefined) {
    return { filters, problem: `“${wrong}” is not a filter. Tokens between dots; * is one, a final > one or more.` };
  }
  if (filters.length > limits.filtersPerSubscriptionMax) {
    return { filters, problem: `At most ${limits.filtersPerSubscriptionMax} filters at once` };
  }
  return { filters };
}
