import { matchesFilter, type WireItem } from '@boardwire/contracts';
import { headerOf } from './item-origin.ts';
import type { PeerGrant } from './peer-book.ts';

/**
 * The items from the first one on that a peer's part of the room covers. A feed is dense: behind one that it may not have
 * nothing else of it can be taken either.
 */
export function offeredItems(items: readonly WireItem[], { grant }: { grant: PeerGrant }): WireItem[] {
  if (grant.subjects.includes('>')) return [...items];
  const end = items.findIndex((item) => {
    const subject = String(headerOf(item)?.['subject']);
    return !grant.subjects.some((filter) => matchesFilter(filter, subject));
  });
  return end === -1 ? [...items] : items.slice(0, end);
}
