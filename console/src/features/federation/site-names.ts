import { shortId } from './federation-text.ts';
import type { FederationView } from './use-federation.ts';

/** What each site calls itself, by its id; of one that nobody has named, the beginning and the end of its id. */
export function siteNames({ site, peers, rooms }: FederationView): (id: string) => string {
  const named = [...rooms.flatMap(({ members }) => members), ...peers, site];
  const names = new Map(named.filter(({ name }) => name !== '').map((one) => [one.site, one.name]));
  return (id) => names.get(id) ?? shortId(id);
}
