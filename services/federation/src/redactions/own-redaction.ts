import type { Queryable } from '@boardwire/database';
import { knownEvents, type FeedItem, type FeedPlace } from '../feeds/feed-items.ts';
import type { LocalEvent } from '../feeds/header-of-event.ts';
import { genesisIn } from '../rooms/room-genesis.ts';
import { RoomStore } from '../rooms/room-store.ts';
import { mayRedact } from './redaction-rules.ts';
import { eraseEvents, keepRedactions } from './redaction-store.ts';

/**
 * Of what this site removes, only what the room has and this site may redact there crosses. The rest was removed here
 * alone: it is not kept for others any more either.
 */
export async function crossingOf(
  transaction: Queryable,
  { room, site }: FeedPlace,
  events: readonly LocalEvent[],
): Promise<LocalEvent[]> {
  if (!events.some(({ attributes }) => attributes.redacts !== undefined)) return [...events];
  const { admins } = genesisIn((await new RoomStore(transaction).find(room))!);
  const crossing: LocalEvent[] = [];
  for (const event of events) {
    const { redacts } = event.attributes;
    // oxlint-disable-next-line no-await-in-loop -- seldom more than one
    const isKnown =
      redacts === undefined || (await knownEvents(transaction, { room, site: redacts.origin }, [redacts])).size > 0;
    if (isKnown && (redacts === undefined || mayRedact(site, redacts, admins))) crossing.push(event);
    // oxlint-disable-next-line no-await-in-loop
    else if (redacts !== undefined) await eraseEvents(transaction, room, [redacts]);
  }
  return crossing;
}

/** What this site's own redactions take, as they stand in its feed now. */
export async function keepOwnRedactions(
  transaction: Queryable,
  { room, site }: FeedPlace,
  { events, items }: { events: readonly LocalEvent[]; items: readonly FeedItem[] },
): Promise<void> {
  const named = new Map(events.map(({ boardSeq, attributes }) => [boardSeq, attributes.redacts]));
  const redactions = items.flatMap(({ boardSeq, header, sigs }) => {
    const redacts = named.get(boardSeq!);
    return redacts === undefined ? [] : [{ redacts, by: site, header, sigs }];
  });
  await keepRedactions(transaction, room, redactions);
}
