import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { StoredEvent } from '@boardwire/contracts';
import { openDatabase, type Database } from '@boardwire/database';
import { Metrics, createLogger } from '@boardwire/service-kit';
import { eventually } from '@boardwire/test-kit';
import { FeedEpochs } from '../../services/federation/src/feeds/feed-epochs.ts';
import { FeedReader } from '../../services/federation/src/feeds/feed-reader.ts';
import { Growth } from '../../services/federation/src/feeds/growth.ts';
import { KeyVault } from '../../services/federation/src/identity/key-vault.ts';
import { loadSiteIdentity, type SiteIdentity } from '../../services/federation/src/identity/site-identity.ts';
import { Ingest } from '../../services/federation/src/ingest/ingest.ts';
import { FederationMetrics } from '../../services/federation/src/metrics.ts';
import { RoomStore, type Room } from '../../services/federation/src/rooms/room-store.ts';
import { Rooms } from '../../services/federation/src/rooms/rooms.ts';
import { keyringOf, RemoteSite } from '../../services/federation/test/remote-site.ts';
import { verifyFeed } from '../../services/federation/test/verify-feed.ts';
import { call, say, signInAsGuest, type Person } from '../support/person.ts';
import { StreamRecorder } from '../support/stream-recorder.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

const secret = 'that seals the keys of a test site';
const logger = createLogger({ service: 'test', level: 'silent' });

let site: TestSite;
let ana: Person;
let database: Database;
let identity: SiteIdentity;
let room: Room;

beforeAll(async () => {
  site = await startTestSite({ env: { INTERNAL_SECRET: secret } });
  ana = await signInAsGuest(site.url, 'ana');
  const { url } = site.infrastructure.postgres;
  database = await openDatabase({ url, schema: 'federation', migrations: [], logger });
  identity = await loadSiteIdentity(database, new KeyVault([secret]), { name: 'Boardwire', endpoints: [] });
  const rooms = new Rooms(identity, new RoomStore(database));
  room = await rooms.create('events', { alias: 'test-chat', subjects: ['AxonChat.>'] });
  await new FeedEpochs(database, identity).openFeed(room.id);
}, 60_000);
afterAll(async () => {
  await database?.close();
  await site?.stop();
}, 30_000);

async function ownFeed() {
  const reader = new FeedReader(database, identity, new Growth());
  const { epoch } = (await reader.vector(room.id))[identity.siteId]!;
  const items = await reader.page(room.id, identity.siteId, epoch, { from: 1, limit: 256 });
  return { items, headers: verifyFeed(items, identity.keys.event.key.publicKey) };
}

test('what is said here goes into the feed, what another site said comes onto the board, and neither goes round', async () => {
  const recorder = new StreamRecorder(`${site.url}/v1/boards/events/stream?subject=AxonChat.>`, { token: ana.token });
  await recorder.until((it) => it.named('caught_up').length === 1);
  const remote = new RemoteSite(room.id);
  const epochs = new FeedEpochs(database, identity);
  await epochs.admit(room.id, remote.record(), remote.root);
  const parts = { database, growth: new Growth(), metrics: new FederationMetrics(new Metrics()), logger };
  const ingest = new Ingest({
    ...parts,
    siteId: identity.siteId,
    keyring: keyringOf(remote),
    onAccepted: () => undefined,
  });
  const theirs = [remote.write(undefined, 'far-1', { subject: 'AxonChat.lobby' })];
  while (theirs.length < 30) {
    theirs.push(remote.write(theirs.at(-1), `far-${theirs.length + 1}`, { subject: 'AxonChat.lobby' }));
  }
  const ours: string[] = [];
  for (let n = 0; n < 30; n += 1) {
    ours.push((await say(site.url, ana, `near ${n}`)).body.id);
    await ingest.take(room.id, [theirs[n]!.wire], { carrier: remote.id });
  }
  await eventually(async () => expect((await ownFeed()).headers.map(({ id }) => id)).toEqual(ours), {
    timeoutMs: 15_000,
  });
  await recorder.until((it) => it.events.length >= 60);
  const events = recorder.events.map(({ data }) => JSON.parse(data!) as StoredEvent);
  const far = events.filter(({ origin }) => origin === remote.id);
  expect(far.map(({ id }) => id)).toEqual(theirs.map(({ header }) => header.id));
  expect(events.filter(({ origin }) => origin === identity.siteId).map(({ id }) => id)).toEqual(ours);
  recorder.close();

  const admin = await site.admin();
  const cursor = recorder.events.find(({ data }) => data!.includes('near 3'))!.id!;
  const url = `${site.url}/v1/boards/events/events/${cursor}`;
  expect((await call(url, { method: 'DELETE', token: admin.token })).status).toBe(204);
  await eventually(async () => expect((await ownFeed()).items.map(({ data }) => data === null).indexOf(true)).toBe(3), {
    timeoutMs: 10_000,
  });
}, 60_000);
