import type { Database } from '@boardwire/database';
import { canonicalBytes, generateSigningKey } from '@boardwire/signing';
import { seededRandom, type SeededRandom } from '@boardwire/test-kit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Ingest } from '../src/ingest/ingest.ts';
import type { Room } from '../src/rooms/room-store.ts';
import { FeedsFixture, logger } from './feeds-fixture.ts';
import { keyringOf, RemoteSite, type Written } from './remote-site.ts';

const isLong = process.env['BOARDWIRE_TEST_TIER'] === 'long';
const [feedItems, runs] = isLong ? [400, 20] : [80, 2];
const carriers = ['carrier-1', 'carrier-2', 'carrier-3', 'carrier-4'];
const thief = generateSigningKey();

let site: FeedsFixture;
beforeAll(async () => {
  site = await FeedsFixture.start();
});
afterAll(() => site.stop());

interface Feed {
  site: RemoteSite;
  items: Written[];
}

/** What each feed was told to have accepted, in the order of the answers that said so. */
type Accepted = Map<string, number[]>;

test.each(Array.from({ length: runs }, (_, run) => run))(
  'whatever carriers do: of each feed a prefix, each item once, in order, and in the end all of it (run %i)',
  async () => {
    const random = seededRandom();
    await site.clear();
    const room = await site.rooms.create('events', { alias: 'chat', subjects: ['room.>'] });
    const feeds = await openFeeds(room, random);
    const replicas = [site.database, site.other].map((database) => ingestOver(database, feeds));
    const accepted: Accepted = new Map(feeds.map(({ site: { id } }) => [id, []]));
    for (let round = 0; round < feedItems / 4; round += 1) {
      const deliveries = carriers.map(async (carrier) => {
        const batch = batchOf(feeds, accepted, random);
        const ingest = random.pick(replicas);
        const outcomes = await ingest.take(
          room.id,
          batch.map(({ wire }) => wire),
          { carrier },
        );
        for (const [at, outcome] of outcomes.entries()) {
          if (outcome.outcome === 'accepted') accepted.get(batch[at]!.header.site)!.push(outcome.oseq);
        }
      });
      await Promise.all(deliveries);
      await expectPrefixes(room, feeds, accepted);
    }
    for (const { items } of feeds) await redeliver(replicas[0]!, room, items);
    for (const { site: remote, items } of feeds) {
      expect(await storedHashes(room, remote)).toEqual(items.map(({ hash }) => hash));
      expect(await handedOver(room, remote)).toEqual(items.map(({ header }) => header.oseq));
    }
  },
);

async function openFeeds(room: Room, random: SeededRandom): Promise<Feed[]> {
  const feeds = [0, 1].map(() => {
    const remote = new RemoteSite(room.id);
    return { site: remote, items: remote.feed(feedItems + random.integer(0, 20)) };
  });
  for (const { site: remote } of feeds) await site.epochs.admit(room.id, remote.record(), remote.root);
  return feeds;
}

function ingestOver(database: Database, feeds: readonly Feed[]): Ingest {
  const { growth, metrics, identity } = site;
  const keyring = keyringOf(...feeds.map((feed) => feed.site));
  const shared = { database, growth, metrics, logger, keyring };
  return new Ingest({ ...shared, siteId: identity.siteId, onAccepted: () => undefined });
}

/** Stretches of both feeds around where they have got to: shuffled, repeated, with losses, forgeries and strange items. */
function batchOf(feeds: readonly Feed[], accepted: Accepted, random: SeededRandom): Written[] {
  const batch = feeds.flatMap(({ site: remote, items }) => {
    const from = Math.max(0, accepted.get(remote.id)!.length - random.integer(-2, 6));
    return items.slice(from, from + random.integer(1, 12)).flatMap((item) => spoiled(remote, item, random));
  });
  return random.next() < 0.3 ? random.shuffle(batch) : batch;
}

function spoiled(remote: RemoteSite, item: Written, random: SeededRandom): Written[] {
  const chance = random.next();
  const { wire, header } = item;
  if (chance < 0.6) return [item];
  if (chance < 0.68) return [];
  if (chance < 0.76) return [item, item];
  if (chance < 0.82) return [{ ...item, wire: { ...wire, data: 'e30' } }, item];
  if (chance < 0.88) return [{ ...item, wire: { ...wire, data: null, salt: null } }, item];
  const forged = { ...header, author: 'Eve' };
  const parts = { header: forged, salt: Buffer.alloc(16), data: Buffer.from('{}') };
  if (chance < 0.94) return [remote.sign(canonicalBytes(forged), parts, thief), item];
  return [{ ...item, wire: { ...wire, h: canonicalBytes(forged).toString('base64url') } }, item];
}

async function expectPrefixes(room: Room, feeds: readonly Feed[], accepted: Accepted): Promise<void> {
  for (const { site: remote, items } of feeds) {
    const hashes = await storedHashes(room, remote);
    expect(hashes).toEqual(items.slice(0, hashes.length).map(({ hash }) => hash));
    const dense = hashes.map((_, at) => at + 1);
    // Answers of concurrent carriers arrive in any order; that each place was accepted once is what counts.
    expect(accepted.get(remote.id)!.toSorted((left, right) => left - right)).toEqual(dense);
    expect(await handedOver(room, remote)).toEqual(dense);
  }
}

async function storedHashes(room: Room, { id, epoch }: RemoteSite): Promise<string[]> {
  const rows = await site.database.query<{ hash: string }>(
    `SELECT encode(hash, 'hex') AS hash FROM feed_item WHERE room = $1 AND site = $2 AND epoch = $3 ORDER BY oseq`,
    [room.id, id, epoch],
  );
  return rows.map(({ hash }) => hash);
}

async function handedOver(room: Room, { id }: RemoteSite): Promise<number[]> {
  const sql = 'SELECT oseq FROM handover WHERE room = $1 AND site = $2 ORDER BY position';
  return (await site.database.query<{ oseq: number }>(sql, [room.id, id])).map(({ oseq }) => oseq);
}

async function redeliver(ingest: Ingest, room: Room, items: readonly Written[]): Promise<void> {
  for (let at = 0; at < items.length; at += 100) {
    const page = items.slice(at, at + 100).map(({ wire }) => wire);
    for (const { outcome } of await ingest.take(room.id, page, { carrier: carriers[0]! })) {
      expect(['accepted', 'duplicate']).toContain(outcome);
    }
  }
}
