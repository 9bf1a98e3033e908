import { auditFilterNames } from '@boardwire/contracts';

export type FilterName = (typeof auditFilterNames)[number];
/** Conditions as they stand in the address and in every query; what a value may be is the site's to judge. */
export type Filter = Readonly<Partial<Record<FilterName, readonly string[]>>>;
export type Order = 'newest' | 'oldest';

/** Everything that decides what the explorer shows: who follows a copied link sees the same. */
export interface ExplorerAddress {
  filter: Filter;
  order: Order;
  isLive: boolean;
  /** The entry in the drawer, by its seq; `first` opens the first that is found. */
  entry: number | 'first' | undefined;
}

export function addressOf(search: URLSearchParams): ExplorerAddress {
  const given = auditFilterNames.map((name) => [name, search.getAll(name).filter((value) => value !== '')] as const);
  const entry = search.get('entry');
  return {
    filter: Object.fromEntries(given.filter(([, values]) => values.length > 0)),
    order: search.get('order') === 'oldest' ? 'oldest' : 'newest',
    isLive: search.get('live') === '1',
    entry: entry === 'first' ? entry : seqOf(entry),
  };
}

/** What is as usual is left out; names stand in one order, so that the same view has one address. */
export function searchOf({ filter, order, isLive, entry }: ExplorerAddress): URLSearchParams {
  const search = new URLSearchParams();
  for (const name of auditFilterNames) {
    for (const value of filter[name] ?? []) search.append(name, value);
  }
  if (order !== 'newest') search.set('order', order);
  if (isLive) search.set('live', '1');
  if (entry !== undefined) search.set('entry', String(entry));
  return search;
}

export function withFilter(filter: Filter, name: FilterName, values: readonly string[]): Filter {
  const { [name]: _, ...others } = filter;
  return values.length === 0 ? others : { ...others, [name]: values };
}

/** Conditions of which an entry can only meet one value: another one replaces it. */
const singleNames: readonly FilterName[] = ['subject', 'symbol', 'forced_hold', 'from', 'to', 'q'];
export const isSingle = (name: FilterName) => singleNames.includes(name);

/** Adds a value, or takes it away when it is there already. */
export function toggled(filter: Filter, name: FilterName, value: string): Filter {
  const values = filter[name] ?? [];
  if (values.includes(value)) {
    return withFilter(
      filter,
      name,
      values.filter((each) => each !== value),
    );
  }
  return withFilter(filter, name, isSingle(name) ? [value] : [...values, value]);
}

export function conditionsOf(filter: Filter): { name: FilterName; value: string }[] {
  return auditFilterNames.flatMap((name) => (filter[name] ?? []).map((value) => ({ name, value })));
}

/** An address inside the console that shows entries of this filter. */
export function auditLink(filter: Filter, entry?: ExplorerAddress['entry']): string {
  return `/audit?${searchOf({ filter, order: 'newest', isLive: false, entry }).toString()}`;
}

function seqOf(text: string | null): number | undefined {
  return text !== null && /^(?:0|[1-9][0-9]{0,14})$/.test(text) ? Number(text) : undefined;
}
