import type { WireItem } from '@boardwire/contracts';
import type { Database, Queryable } from '@boardwire/database';
import type { VerifyingKey } from '@boardwire/signing';
import { keepFormerEventKeys } from '../identity/keep-former-event-keys.ts';
import type { SiteIdentity } from '../identity/site-identity.ts';
import { proveBundle } from '../members/proven-bundle.ts';
import { genesisIn } from '../rooms/room-genesis.ts';
import { FeedTaking } from '../ingest/feed-taking.ts';
import { lockFeed, storeTaking } from '../ingest/taking-store.ts';
import { verifyItem, type VerifiedItem } from '../ingest/verify-item.ts';
import type { Room } from '../rooms/room-store.ts';
import type { FeedPlace } from './feed-items.ts';

/** What was proven by items of this site's own feed that another member has kept. */
export interface Recovered {
  /** So many that this site had forgotten are back. */
  taken: number;
  /** This site has signed another header for a place that it has. */
  isForked: boolean;
}

/**
 * Takes items of the own feed back from others, who have them although this site doesn't: it was put back to an earlier
 * state. They count by this site's own signature alone, and go into the feed, not onto the board, whose log was put back too.
 */
export class OwnRecovery {
  readonly #learnt = new Map<string, VerifyingKey>();

  constructor(
    private readonly database: Database,
    private readonly identity: SiteIdentity,
  ) {}

  /** This site's own document, as others keep it, may name event keys that were made after the backup. */
  async learn(bundles: readonly unknown[]): Promise<void> {
    const { siteId, eventKeys: known } = this.identity;
    const own = bundles.map(proveBundle).filter((bundle) => bundle?.site === siteId);
    const told = own.flatMap((bundle) => [...(bundle?.eventKeys ?? [])]);
    const forgotten = new Map(told.filter(([kid]) => !known.has(kid) && !this.#learnt.has(kid)));
    if (forgotten.size === 0) return;
    await keepFormerEventKeys(this.database, forgotten);
    for (const [kid, key] of forgotten) this.#learnt.set(kid, key);
  }

  async take(room: Room, epoch: string, items: readonly WireItem[]): Promise<Recovered> {
    const own = (await this.#verified(room.id, items)).filter(({ content }) => content.epoch === epoch);
    const place = { room: room.id, site: this.identity.siteId, epoch };
    return this.database.transaction((transaction) => takeBack(transaction, { room, place, items: own }));
  }

  async #verified(room: string, items: readonly WireItem[]): Promise<VerifiedItem[]> {
    const { siteId, eventKeys } = this.identity;
    const keyring = {
      eventKey: (site: string, kid: string) =>
        Promise.resolve(site === siteId ? (eventKeys.get(kid) ?? this.#learnt.get(kid)) : undefined),
    };
    // Its own removals are its own word, whoever brings them.
    const judged = await Promise.all(items.map((item) => verifyItem(item, { room, carrier: siteId, keyring })));
    return judged.filter((item) => typeof item !== 'string');
  }
}

async function takeBack(
  transaction: Queryable,
  { room, place, items }: { room: Room; place: FeedPlace; items: readonly VerifiedItem[] },
): Promise<Recovered> {
  const state = await lockFeed(transaction, place, items);
  if (state === undefined) return { taken: 0, isForked: false };
  const taking = new FeedTaking({ ...room, admins: genesisIn(room).admins }, state);
  for (const item of items) taking.take(item);
  await storeTaking(transaction, place, taking, { board: undefined, carrier: place.site });
  return { taken: taking.items.length + taking.holes.length, isForked: taking.evidence.length > 0 };
}
