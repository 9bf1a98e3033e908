import { InternalClient, commonConfig, createContext, readConfig, type ServiceContext } from '@boardwire/service-kit';
import { eventually, seededRandom, startTestInfrastructure, type TestInfrastructure } from '@boardwire/test-kit';
import type { RoomGenesis } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { foreignAppendOver, foreignRedactOver } from '../src/feeds/chat-board.ts';
import { HandoverWorker } from '../src/handover/handover-worker.ts';
import { Ingest } from '../src/ingest/ingest.ts';
import type { Room } from '../src/rooms/room-store.ts';
import { ChatStandIn } from './chat-stand-in.ts';
import { FeedsFixture, logger } from './feeds-fixture.ts';
import { keyringOf, RemoteSite, type Written } from './remote-site.ts';

const secret = 's'.repeat(32);

let infrastructure: TestInfrastructure;
let chat: ChatStandIn;
let site: FeedsFixture;
let room: Room;
let sites: RemoteSite[];
let ingest: Ingest;
let contexts: ServiceContext[] = [];
let clients: InternalClient[] = [];

beforeAll(async () => {
  infrastructure = await startTestInfrastructure();
  chat = await ChatStandIn.start(infrastructure, secret);
  site = await FeedsFixture.start(infrastructure.env.DATABASE_URL);
});
afterAll(async () => {
  await site.stop();
  await chat.close();
  await infrastructure.stop();
});
beforeEach(async () => {
  await site.clear();
  chat.logs.foreign.clear();
  chat.logs.redacted.length = 0;
  chat.logs.trouble = () => undefined;
  room = await site.rooms.create('events', { alias: 'chat', subjects: ['room.>'] });
  sites = [new RemoteSite(room.id), new RemoteSite(room.id)];
  for (const remote of sites) await site.epochs.admit(room.id, remote.record(), remote.root);
  const { database, growth, metrics, identity } = site;
  const shared = { database, growth, metrics, logger, keyring: keyringOf(...sites) };
  ingest = new Ingest({ ...shared, siteId: identity.siteId, onAccepted: () => undefined });
});
afterEach(stopWorkers);

function startWorker(database: Database): HandoverWorker {
  const config = readConfig(commonConfig, { INTERNAL_SECRET: secret, LOG_LEVEL: 'silent', NODE_ENV: 'test' });
  const context = createContext('federation', config);
  const client = new InternalClient({ context, service: 'chat', baseUrl: chat.url });
  const worker = new HandoverWorker({
    database,
    append: foreignAppendOver(client),
    redact: foreignRedactOver(client),
    metrics: site.metrics,
    logger,
  });
  context.supervisor.run('handover', { beatEveryMs: 1_000 }, (loop) => worker.run(loop));
  contexts.push(context);
  clients.push(client);
  return worker;
}

async function stopWorkers(): Promise<void> {
  await Promise.all(contexts.map(({ supervisor }) => supervisor.stop()));
  await Promise.all(clients.map((client) => client.close()));
  [contexts, clients] = [[], []];
}

async function take(items: readonly Written[]): Promise<void> {
  for (let at = 0; at < items.length; at += 50) {
    const page = items.slice(at, at + 50).map(({ wire }) => wire);
    await ingest.take(room.id, page, { carrier: items[0]!.header.site });
  }
}

const idsOf = (origin: string, board = 'events') =>
  (chat.logs.foreign.get(board) ?? []).filter((item) => item.origin === origin).map(({ id }) => id);
const waiting = async () => (await site.database.query<{ n: number }>('SELECT count(*) AS n FROM handover'))[0]!.n;
const holes = () =>
  site.database.query<{ oseq: number; reason: string }>('SELECT oseq, reason FROM feed_hole ORDER BY oseq');

test('under a chat that fails before and after its commit: each once, in its feed’s order, by whichever replica leads', async () => {
  const random = seededRandom();
  let failures = 0;
  chat.logs.trouble = () => {
    if (failures > 0 && random.next() > 0.3) return;
    failures += 1;
    throw new Error('chat fails');
  };
  const feeds = sites.map((remote) => remote.feed(150));
  startWorker(site.database);
  startWorker(site.other);
  await Promise.all(feeds.map(take));
  await new Promise((resolve) => setTimeout(resolve, 100));
  // A replica goes in the middle of it, and another comes.
  await contexts[0]!.supervisor.stop();
  startWorker(site.database);
  await eventually(async () => expect(await waiting()).toBe(0), { timeoutMs: 20_000 });
  for (const [at, remote] of sites.entries()) {
    expect(idsOf(remote.id)).toEqual(feeds[at]!.map(({ header }) => header.id));
  }
  expect(failures).toBeGreaterThan(0);
  expect(await holes()).toEqual([]);
});

test('an event reaches chat as it was at its origin', async () => {
  const [remote] = sites as [RemoteSite];
  const item = remote.write(undefined, 'x', { extensions: { partitionkey: 'k' }, dataschema: 'https://a.example/s' });
  await take([item]);
  startWorker(site.database);
  await eventually(() => expect(idsOf(remote.id)).toEqual(['x']));
  const {
    v: _v,
    room: _r,
    site: origin,
    epoch: _e,
    oseq: _o,
    prev: _p,
    kid: _k,
    dsize: _d,
    dform: _f,
    ...attributes
  } = item.header;
  const salt = Buffer.from(item.wire.salt!, 'base64url').toString('hex');
  expect(chat.logs.foreign.get('events')).toEqual([{ ...attributes, origin, salt, data: { text: 'x' } }]);
});

test('what chat refuses is recorded and holds up nothing', async () => {
  const [remote] = sites as [RemoteSite];
  chat.logs.refused = new Set([`${remote.id.slice(3, 7)}-2`]);
  await take(remote.feed(3));
  startWorker(site.database);
  await eventually(async () => expect(await waiting()).toBe(0));
  expect(idsOf(remote.id)).toEqual([1, 3].map((n) => `${remote.id.slice(3, 7)}-${n}`));
  expect(await holes()).toEqual([{ oseq: 2, reason: 'chat:forbidden' }]);
  chat.logs.refused = new Set();
});

test('one item that spoils its request is found, and the others go in', async () => {
  const [remote] = sites as [RemoteSite];
  const bad = `${remote.id.slice(3, 7)}-5`;
  chat.logs.poison = bad;
  await take(remote.feed(9));
  startWorker(site.database);
  await eventually(async () => expect(await waiting()).toBe(0));
  chat.logs.poison = undefined;
  expect(idsOf(remote.id)).toEqual([1, 2, 3, 4, 6, 7, 8, 9].map((n) => `${remote.id.slice(3, 7)}-${n}`));
  expect(await holes()).toEqual([{ oseq: 5, reason: 'chat:invalid' }]);
});

test('a board whose chat does not answer waits, loses nothing, and no other board waits with it', async () => {
  const other = await site.rooms.create('forum', { alias: 'forum', subjects: ['room.>'] });
  const remote = new RemoteSite(other.id);
  await site.epochs.admit(other.id, remote.record(), remote.root);
  const [held] = sites as [RemoteSite];
  const { database, growth, metrics, identity } = site;
  const shared = { database, growth, metrics, logger, keyring: keyringOf(remote) };
  const second = new Ingest({ ...shared, siteId: identity.siteId, onAccepted: () => undefined });
  chat.logs.trouble = (step, board) => {
    if (board === 'events') throw new Error('down');
  };
  await take(held.feed(5));
  await second.take(
    other.id,
    remote.feed(5).map(({ wire }) => wire),
    { carrier: remote.id },
  );
  startWorker(site.database);
  await eventually(() => expect(idsOf(remote.id, 'forum')).toHaveLength(5));
  await eventually(async () => expect(await waiting()).toBe(5));
  chat.logs.trouble = () => undefined;
  await eventually(() => expect(idsOf(held.id)).toHaveLength(5), { timeoutMs: 10_000 });
  expect(await holes()).toEqual([]);
});

test('a redaction follows what it names to chat, and what comes behind its redaction never gets there', async () => {
  const [one, admin] = sites as [RemoteSite, RemoteSite];
  await site.database.query("UPDATE room SET envelope = jsonb_set(envelope, '{payload}', to_jsonb($1::text))", [
    withAdmin(room, admin.id),
  ]);
  const items = one.feed(3);
  const [early, late] = [admin.redact(undefined, items[0]!), items[2]!];
  const later = admin.redact(early, late);
  await take(items.slice(0, 2));
  await take([early, later]);
  await take([late]);
  startWorker(site.database);
  await eventually(async () => expect(await waiting()).toBe(0));
  expect(idsOf(one.id)).toEqual([items[1]!.header.id]);
  const named = (of: Written) => ({ origin: one.id, source: of.header.source, id: of.header.id });
  expect(chat.logs.redacted.flatMap((request) => request.items)).toMatchObject([named(items[0]!), named(late)]);
  expect(idsOf(admin.id)).toEqual([early.header.id, later.header.id]);
  const kept = await site.database.query<{ oseq: number }>(
    'SELECT oseq FROM feed_item WHERE site = $1 AND data IS NOT NULL',
    [one.id],
  );
  expect(kept).toEqual([{ oseq: 2 }]);
});

function withAdmin({ envelope }: Room, admin: string): string {
  const genesis = JSON.parse(Buffer.from(envelope.payload, 'base64url').toString()) as RoomGenesis;
  const changed = { ...genesis, admins: [...genesis.admins, admin] };
  return Buffer.from(JSON.stringify(changed)).toString('base64url');
}
