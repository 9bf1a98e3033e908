import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { federationPaths, pushAnswerSchema, type AuditEntry } from '@boardwire/contracts';
import { openDatabase, type Database } from '@boardwire/database';
import { createLogger } from '@boardwire/service-kit';
import { eventually } from '@boardwire/test-kit';
import { FeedEpochs } from '../../services/federation/src/feeds/feed-epochs.ts';
import { KeyVault } from '../../services/federation/src/identity/key-vault.ts';
import { loadSiteIdentity, type SiteIdentity } from '../../services/federation/src/identity/site-identity.ts';
import { InvitationStore } from '../../services/federation/src/peers/invitation-store.ts';
import { PeerStore } from '../../services/federation/src/peers/peer-store.ts';
import { RoomStore, type Room } from '../../services/federation/src/rooms/room-store.ts';
import { Rooms } from '../../services/federation/src/rooms/rooms.ts';
import { PeerSite } from '../../services/federation/test/support/peer-site.ts';
import { WireClient, type OpenedStream } from '../../services/federation/test/support/wire-client.ts';
import { call, say, signInAsGuest, type Person } from '../support/person.ts';
import { sendRaw } from '../support/raw-client.ts';
import { StreamRecorder } from '../support/stream-recorder.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

const secret = 'that seals the keys of a test site';

let site: TestSite;
let ana: Person;
let database: Database;
let identity: SiteIdentity;
let room: Room;
let peer: PeerSite;
let client: WireClient;

beforeAll(async () => {
  site = await startTestSite({ gateways: 2, env: { INTERNAL_SECRET: secret } });
  ana = await signInAsGuest(site.url, 'ana');
  const { url } = site.infrastructure.postgres;
  const logger = createLogger({ service: 'test', level: 'silent' });
  database = await openDatabase({ url, schema: 'federation', migrations: [], logger });
  identity = await loadSiteIdentity(database, new KeyVault([secret]), { name: 'Boardwire', endpoints: [] });
  room = await new Rooms(identity, new RoomStore(database)).create('events', { alias: 'x', subjects: ['AxonChat.>'] });
  await new FeedEpochs(database, identity).openFeed(room.id);
  peer = new PeerSite(room.id, 'Peer');
  client = new WireClient(peer, identity, site.gatewayUrl(2));
}, 60_000);
afterAll(async () => {
  await client?.close();
  await database?.close();
  await site?.stop();
}, 30_000);

const streamsOpen = async () => {
  const { text } = await call(`${site.internalUrl('federation')}/metrics`);
  return Number(/^boardwire_fed_streams_open (\d+)$/m.exec(text)?.[1]);
};
const openStream = (): Promise<OpenedStream> => client.stream(room.id, {}, [identity.siteId]);

test('a site comes with its invitation, and what is said on either side is on the other at once', async () => {
  const invitation = { room: room.id, scopes: ['read', 'write'] as const, subjects: ['AxonChat.>'] };
  const options = { ...invitation, createdBy: 'op', lifetimeMs: 60_000, site: peer.id };
  const { secret: given } = await new InvitationStore(database).create(options);
  expect((await client.shake(given)).json).toMatchObject({ state: 'admitted' });
  const stream = await openStream();
  const { body } = await say(site.url, ana, 'near');
  const { item } = await stream.next('ev');
  expect(JSON.parse(Buffer.from(item.h, 'base64url').toString())).toMatchObject({ id: body.id });
  stream.close();
  await eventually(async () => expect(await streamsOpen()).toBe(0), { timeoutMs: 1_000 });

  const recorder = new StreamRecorder(`${site.url}/v1/boards/events/stream?subject=AxonChat.>`, { token: ana.token });
  await recorder.until((it) => it.named('caught_up').length === 1);
  const far = peer.write(undefined, 'far', { subject: 'AxonChat.lobby' });
  const { json } = await client.push(room.id, [far.wire], [peer.bundle()]);
  expect(pushAnswerSchema.parse(json).outcomes).toEqual([{ outcome: 'accepted', oseq: 1 }]);
  await recorder.until((it) => it.events.some(({ data }) => data!.includes('"far"')));
  recorder.close();
});

test('bodies pass unread, up to their bound, with any header twice as it came', async () => {
  const path = federationPaths.events(room.id);
  const large = { items: [], members: Array.from({ length: 60 }, () => ({ x: 'y'.repeat(20_000) })) };
  expect((await client.post(path, large)).status).toBe(200);
  const body = Buffer.from('{"items":[]}');
  const headers = peer.signer.sign({ method: 'POST', url: path, body, destination: identity.siteId });
  const send = (more: string, bytes: Uint8Array = body) => {
    const lines = Object.entries({ host: 'x', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    return sendRaw(site.url, [`POST ${path} HTTP/1.1\r\n${lines.join('')}${more}\r\n`, bytes], { quietMs: 500 });
  };
  const twice = `content-length: ${body.length}\r\nsignature: ${headers['signature']}\r\n`;
  expect((await send(twice)).text).toContain('"code":"sig_invalid"');
  expect((await send(`content-length: ${body.length}\r\ncontent-type: text/plain\r\n`)).text).toContain(
    '"sig_invalid"',
  );
  const endless = await send('content-length: 100000000\r\n', Buffer.alloc(200_000));
  expect(endless.statuses).toEqual([413]);
  expect(endless.text).toContain('"too_large"');
});

test('nothing else of the inside can be reached by it', async () => {
  for (const path of [
    '/fed/../internal/v1/status',
    '/fed/%2e%2e/internal/v1/status',
    '/fed/v1//internal/v1/identity',
  ]) {
    const { statuses, text } = await sendRaw(site.url, [`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`]);
    expect([path, statuses[0]! >= 400]).toEqual([path, true]);
    expect(text).not.toContain('siteId');
  }
  for (const path of ['/fed/internal/v1/identity', '/fed/v1/metrics', '/fed/v2/handshake', '/fed/']) {
    const { status, body } = await call<{ code: string }>(site.url + path);
    expect([path, status >= 400, typeof body.code]).toEqual([path, true, 'string']);
  }
  expect((await call(`${site.url}/fed/v1/handshake`, { method: 'DELETE' })).status).toBe(405);
});

test('refusals stand in the audit', async () => {
  const stranger = new WireClient(new PeerSite(room.id), identity, site.url);
  await expect(stranger.get(federationPaths.head(room.id))).rejects.toMatchObject({ failure: 'sig_missing' });
  await stranger.close();
  const { token } = await site.admin();
  await eventually(
    async () => {
      const url = `${site.url}/v1/audit/entries?action=federation.sig_invalid`;
      const { body } = await call<{ entries: AuditEntry[] }>(url, { token });
      expect(body.entries.map(({ outcome }) => outcome)).toContain('refused');
    },
    { timeoutMs: 10_000 },
  );
});

test('a stream ends within a second when the peer is suspended, the service stops or the gateway drains', async () => {
  const peers = new PeerStore(database);
  const suspended = await openStream();
  await peers.happened(peer.id, 'suspended');
  const from = performance.now();
  expect(await suspended.next('bye')).toMatchObject({ code: 'peer_suspended' });
  expect(performance.now() - from).toBeLessThan(1_000);
  await peers.resume(peer.id);
  await eventually(async () => expect((await client.get(federationPaths.head(room.id))).status).toBe(200));

  const stopped = await openStream();
  await site.site.services['federation']!.stop();
  expect(await stopped.next('bye')).toMatchObject({ code: 'draining' });
  await eventually(() => expect(stopped.isEnded).toBe(true), { timeoutMs: 1_000 });
  await expect(client.get(federationPaths.head(room.id))).rejects.toMatchObject({ failure: 'sig_missing' });
  await site.site.services['federation']!.start();

  const drained = await eventually(openStream, { timeoutMs: 10_000 });
  await drained.next('hb');
  await site.site.services['gateway-2']!.stop();
  expect(await drained.next('bye')).toMatchObject({ code: 'draining' });
  await eventually(() => expect(drained.isEnded).toBe(true), { timeoutMs: 1_000 });
  await eventually(async () => expect(await streamsOpen()).toBe(0), { timeoutMs: 2_000 });
}, 60_000);
