import { federationLimits, type MemberBundle } from '@boardwire/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Contacts } from '../src/contacts/contacts.ts';
import { FeedEpochs } from '../src/feeds/feed-epochs.ts';
import { Ingest } from '../src/ingest/ingest.ts';
import { RoomMembers } from '../src/members/room-members.ts';
import { PeerStore } from '../src/peers/peer-store.ts';
import type { Room } from '../src/rooms/room-store.ts';
import { ForeignSiteStore } from '../src/site-documents/foreign-site-store.ts';
import { SiteDocuments } from '../src/site-documents/site-documents.ts';
import { StoredSiteKeyring } from '../src/site-documents/site-keyring.ts';
import { Dialer } from '../src/dialing/dialer.ts';
import { createGenesis } from '../src/rooms/room-genesis.ts';
import { FeedsFixture, logger } from './feeds-fixture.ts';
import { PeerSite } from './support/peer-site.ts';

let fixture: FeedsFixture;
let dialer: Dialer;
let peers: PeerStore;
let members: RoomMembers;
let keyring: StoredSiteKeyring;
let room: Room;

beforeAll(async () => {
  fixture = await FeedsFixture.start();
  dialer = new Dialer({ allowedNetworks: [], httpHosts: [] });
});
afterAll(async () => {
  await dialer.close();
  await fixture.stop();
});
beforeEach(async () => {
  await fixture.clear();
  await fixture.database.query('TRUNCATE peer, foreign_site CASCADE');
  members = over(fixture.database);
  room = await fixture.rooms.create('events', { alias: 'chat', subjects: ['room.>'] });
});

function over(database = fixture.database): RoomMembers {
  const sites = new ForeignSiteStore(database);
  keyring = new StoredSiteKeyring(sites);
  peers = new PeerStore(database);
  const documents = new SiteDocuments({ dialer, store: sites, keyring });
  const epochs = new FeedEpochs(database, fixture.identity);
  return new RoomMembers({ database, identity: fixture.identity, sites, documents, epochs, peers, logger });
}

/** A room that another site has created, and that this one has joined. */
async function joined() {
  const creator = new PeerSite('');
  const genesis = createGenesis(creator.identity, { alias: 'x', subjects: ['room.>'] });
  const admin = creator.inRoom(genesis.id);
  await fixture.clear();
  const own = await fixture.rooms.join('events', genesis.envelope, admin.root);
  expect(await members.take(own.id, [admin.bundle()])).toEqual({ added: [] });
  return { admin, id: own.id };
}

const feeds = () => fixture.database.query<{ site: string }>('SELECT site FROM feed ORDER BY site');
const sitesOf = (bundles: readonly MemberBundle[]) =>
  bundles.map(({ document }) => JSON.parse(Buffer.from(document.payload, 'base64url').toString()).site as string);

describe('an admin', () => {
  test('lets a site in, and from then on its documents, feeds and rights are known', async () => {
    const peer = new PeerSite(room.id, 'Peer');
    expect(await members.sites(room.id)).toEqual([fixture.identity.siteId]);
    expect(await members.take(room.id, [peer.bundle()])).toEqual({ added: [] });
    expect(await feeds()).toEqual([]);
    await members.admit(room.id, peer.id);
    expect(await members.isMember(room.id, peer.id)).toBe(true);
    expect(await members.take(room.id, [peer.bundle()])).toEqual({ added: [] });
    expect(await feeds()).toEqual([{ site: peer.id }]);
    expect(await peers.find(peer.id)).toMatchObject({ state: 'catching_up', name: 'Peer', isConfirmed: false });
    expect(await peers.rooms(peer.id)).toEqual([
      { room: room.id, scopes: ['read', 'write', 'relay'], subjects: ['room.>'] },
    ]);
    expect(await keyring.hopKey(peer.id, peer.keys.hop.keyId)).toBeDefined();
    const bundles = await members.bundles(room.id);
    expect(sitesOf(bundles)).toEqual([fixture.identity.siteId, peer.id]);
    expect(bundles.map(({ membership }) => membership.length)).toEqual([0, 1]);
  });

  test('removes it, and of its feed no more is taken than was known then', async () => {
    const peer = new PeerSite(room.id);
    await members.admit(room.id, peer.id);
    await members.take(room.id, [peer.bundle()]);
    const items = peer.feed(5).map(({ wire }) => wire);
    const { database, growth, metrics, identity } = fixture;
    const parts = { database, siteId: identity.siteId, keyring, growth, metrics, logger };
    const ingest = new Ingest({ ...parts, onAccepted: () => undefined });
    await ingest.take(room.id, items.slice(0, 3), { carrier: peer.id });
    await members.remove(room.id, peer.id);
    expect(await members.isMember(room.id, peer.id)).toBe(false);
    expect(await members.wasRemoved(room.id, peer.id)).toBe(true);
    const late = await ingest.take(room.id, items.slice(2), { carrier: peer.id });
    expect(late.map(({ outcome }) => outcome)).toEqual(['duplicate', 'frozen', 'frozen']);
    const opened = await members.take(room.id, [
      peer.bundle([], [peer.record(), peer.record({ epoch: 'e2', ordinal: 1 })]),
    ]);
    expect(opened).toEqual({ added: [] });
    expect(await feeds()).toHaveLength(1);
    expect(sitesOf(await members.bundles(room.id))).toEqual([fixture.identity.siteId, peer.id]);
    await members.admit(room.id, peer.id);
    const again = await ingest.take(room.id, items.slice(3), { carrier: peer.id });
    expect(again.map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted']);
  });

  test('fills no room beyond its bound', async () => {
    for (let at = 1; at < federationLimits.membersMax; at += 1) {
      await members.admit(
        room.id,
        `bs1${'a'.repeat(50)}${String.fromCodePoint(97 + (at % 26))}${String.fromCodePoint(97 + Math.floor(at / 26))}`,
      );
    }
    await expect(members.admit(room.id, new PeerSite('').id)).rejects.toMatchObject({ code: 'conflict' });
  });

  test('decides once, whichever replica is asked', async () => {
    const { id } = new PeerSite('');
    const others = over(fixture.other);
    await Promise.all([members.admit(room.id, id), others.admit(room.id, id), members.admit(room.id, id)]);
    const rows = await fixture.database.query('SELECT ordinal FROM room_member WHERE site = $1', [id]);
    expect(rows).toEqual([{ ordinal: 1 }]);
  });
});

describe('what others say of members', () => {
  test('counts when an admin has signed it, whoever brings it, and nothing else does', async () => {
    const { admin, id } = await joined();
    const [good, stranger] = [new PeerSite(id), new PeerSite(id)];
    const added: string[][] = [];
    const taking = async (...bundles: unknown[]) => added.push((await members.take(id, bundles)).added);
    await taking(stranger.bundle(), stranger.bundle([stranger.membership(stranger.id)]));
    await taking(stranger.bundle([admin.membership(stranger.id, { room: `br1${'a'.repeat(52)}` })]));
    await taking(stranger.bundle([good.membership(stranger.id, { by: admin.id })]));
    await taking(stranger.bundle([admin.membership(good.id)]), { document: 'x' }, 'junk', null);
    expect(added).toEqual([[], [], [], []]);
    expect(await feeds()).toEqual([{ site: admin.id }]);
    expect(await keyring.hopKey(stranger.id, stranger.keys.hop.keyId)).toBeUndefined();
    await taking(good.bundle([admin.membership(good.id)]));
    expect(added.at(-1)).toEqual([good.id]);
    expect(await members.sites(id)).toEqual([admin.id, good.id]);
    await expect(members.admit(id, stranger.id)).rejects.toMatchObject({ code: 'forbidden' });
  });

  test('holds by its ordinal, in whatever order it comes, and a removal over what is as late', async () => {
    const { admin, id } = await joined();
    const peer = new PeerSite(id);
    const records = [
      admin.membership(peer.id),
      admin.membership(peer.id, { action: 'removed', ordinal: 2 }),
      admin.membership(peer.id, { ordinal: 3 }),
      admin.membership(peer.id, { action: 'removed', ordinal: 3 }),
    ];
    const taking = async (at: number) => {
      await members.take(id, [peer.bundle([records[at]!])]);
      return members.isMember(id, peer.id);
    };
    expect([await taking(0), await taking(2), await taking(1), await taking(3), await taking(2)]).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  test('tells a site that it was let in and put out itself', async () => {
    const { admin, id } = await joined();
    const own = fixture.identity;
    const bundle = (envelope: ReturnType<PeerSite['membership']>) => ({
      document: own.document,
      epochs: [],
      membership: [envelope],
    });
    await members.take(id, [bundle(admin.membership(own.siteId))]);
    expect(await members.sites(id)).toEqual([admin.id, own.siteId]);
    await members.take(id, [bundle(admin.membership(own.siteId, { action: 'removed', ordinal: 2 }))]);
    expect(await members.isMember(id, own.siteId)).toBe(false);
    expect(await peers.find(own.siteId)).toBeUndefined();
  });

  test('is told to who listens, once for each change', async () => {
    const { admin, id } = await joined();
    const told: string[] = [];
    const stop = members.onChanged((changed) => told.push(changed));
    const peer = new PeerSite(id);
    const bundle = peer.bundle([admin.membership(peer.id)]);
    await members.take(id, [bundle]);
    await members.take(id, [bundle]);
    await members.take(id, [
      peer.bundle([admin.membership(peer.id)], [peer.record(), peer.record({ epoch: 'e2', ordinal: 1 })]),
    ]);
    stop();
    await members.take(id, [peer.bundle([admin.membership(peer.id, { action: 'removed', ordinal: 2 })])]);
    expect(told).toEqual([id, id]);
  });

  test('changes nothing that was decided here about a peer', async () => {
    const { admin, id } = await joined();
    const [known, waiting] = [new PeerSite(id), new PeerSite(id)];
    await peers.learn(known.id, 'Known');
    await peers.happened(known.id, 'suspended', 'by hand');
    await peers.grant(known.id, { room: id, scopes: ['read'], subjects: ['room.a.>'] });
    await peers.add(waiting.id, 'Waiting', 'handshake');
    await members.take(
      id,
      [known, waiting].map((peer) => peer.bundle([admin.membership(peer.id)])),
    );
    expect(await peers.find(known.id)).toMatchObject({ state: 'suspended', isConfirmed: false });
    expect(await peers.rooms(known.id)).toEqual([{ room: id, scopes: ['read'], subjects: ['room.a.>'] }]);
    expect(await peers.find(waiting.id)).toMatchObject({ state: 'handshake' });
  });
});

test('what is known of peers that have dialled in counts their streams', () => {
  const contacts = new Contacts();
  let changes = 0;
  const stop = contacts.onChanged(() => (changes += 1));
  contacts.streamOpened('a', 'r');
  contacts.streamOpened('a', 'r');
  contacts.streamClosed('a', 'r');
  expect([contacts.hasStream('a', 'r'), contacts.hasStream('a', 'other')]).toEqual([true, false]);
  contacts.streamClosed('a', 'r');
  contacts.streamClosed('a', 'r');
  contacts.learnt('a', 'r', { b: { epoch: 'e', n: 1 } });
  stop();
  contacts.streamOpened('a', 'r');
  expect(contacts.vectorOf('a', 'r')).toEqual({ b: { epoch: 'e', n: 1 } });
  expect([contacts.hasStream('a', 'r'), changes]).toEqual([true, 6]);
});
