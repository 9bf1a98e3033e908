import { createHash } from 'node:crypto';

export interface FeedSelection {
  /** The room's other members. */
  members: readonly string[];
  /** Peers with a stream of theirs that is open, or about to be. */
  streaming: ReadonlySet<string>;
  /** Of those, which may pass on what others said. */
  relaying: ReadonlySet<string>;
  /** Sites that need no carrier: they bring their feed themselves, or are about to. */
  direct: ReadonlySet<string>;
  /** Who is asked for whose feed until now. */
  carriers: ReadonlyMap<string, string>;
  /** Whether this peer has lately failed to bring this site's feed. */
  avoids: (site: string, peer: string) => boolean;
}

/**
 * Which feeds to ask each peer for: of every site its own, and of a site that can't be reached the one of exactly one
 * other, so that each event comes once. A carrier stays as long as it does its work: to change it opens streams anew.
 */
export function selectFeeds(selection: FeedSelection): Map<string, string[]> {
  const { members, streaming, direct } = selection;
  const asked = new Map([...streaming].filter((peer) => members.includes(peer)).map((peer) => [peer, [peer]]));
  for (const site of members) {
    if (asked.has(site) || direct.has(site)) continue;
    const carrier = carrierOf(site, asked, selection);
    if (carrier !== undefined) asked.get(carrier)!.push(site);
  }
  return asked;
}

function carrierOf(
  site: string,
  asked: ReadonlyMap<string, readonly string[]>,
  { relaying, carriers, avoids }: FeedSelection,
): string | undefined {
  const relays = [...asked.keys()].filter((peer) => relaying.has(peer));
  const trusted = relays.filter((peer) => !avoids(site, peer));
  // One that failed is better than none: it may have caught up meanwhile.
  const candidates = trusted.length > 0 ? trusted : relays;
  const current = carriers.get(site);
  if (current !== undefined && candidates.includes(current)) return current;
  const load = (peer: string) => asked.get(peer)!.length;
  return candidates.toSorted(
    (one, other) => load(one) - load(other) || (weight(site, one) < weight(site, other) ? -1 : 1),
  )[0];
}

/** Not every member's choice is the same: one common hub for all of them would carry everything. */
const weight = (site: string, peer: string) => createHash('sha256').update(`${site} ${peer}`).digest('hex');
