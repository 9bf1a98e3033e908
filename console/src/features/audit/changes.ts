import { memberOf } from './entry-text.ts';

export interface Change {
  /** Where in the object, such as `retention.days`. */
  name: string;
  before: unknown;
  after: unknown;
}

/** What differs between `before` and `after` of a decision's detail; undefined when it has not both. */
export function changesOf(content: unknown): Change[] | undefined {
  const before = memberOf(content, 'before');
  const after = memberOf(content, 'after');
  if (!isRecord(before) || !isRecord(after)) return undefined;
  return differences(before, after, '');
}

function differences(before: Members, after: Members, path: string): Change[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
  return names.flatMap((key) => {
    const [one, other] = [before[key], after[key]];
    const name = path === '' ? key : `${path}.${key}`;
    if (isRecord(one) && isRecord(other)) return differences(one, other, name);
    return JSON.stringify(one) === JSON.stringify(other) ? [] : [{ name, before: one, after: other }];
  });
}

type Members = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
