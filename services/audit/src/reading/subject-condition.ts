import type { Parameters } from './parameters.ts';

/** SQL that holds for the subjects that a filter of the grammar matches; see `matchesFilter` in contracts. */
export function subjectCondition(column: string, filter: string, parameters: Parameters): string {
  const tokens = filter.split('.');
  if (filter === '>') return `${column} IS NOT NULL`;
  if (!tokens.includes('*')) {
    if (tokens.at(-1) !== '>') return `${column} = ${parameters.add(filter)}`;
    return `starts_with(${column}, ${parameters.add(filter.slice(0, -1))})`;
  }
  return `${column} ~ ${parameters.add(`^${tokens.map(patternOf).join('\\.')}$`)}`;
}

/** No character of a literal token means anything in a regular expression. */
function patternOf(token: string): string {
  if (token === '*') return '[^.]+';
  return token === '>' ? '.+' : token;
}
