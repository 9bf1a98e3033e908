import { openDatabase, provisionSchemas, type Database } from '@boardwire/database';
import { boot } from '@boardwire/federation';
import type { Environment, RunningService } from '@boardwire/service-kit';
import { eventually, startTestInfrastructure, type TestInfrastructure } from '@boardwire/test-kit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { FeedEpochs } from '../src/feeds/feed-epochs.ts';
import { FeedReader } from '../src/feeds/feed-reader.ts';
import { Growth } from '../src/feeds/growth.ts';
import { KeyVault } from '../src/identity/key-vault.ts';
import { loadSiteIdentity, type SiteIdentity } from '../src/identity/site-identity.ts';
import { migrations } from '../src/migrations.ts';
import { RoomStore, type Room } from '../src/rooms/room-store.ts';
import { Rooms } from '../src/rooms/rooms.ts';
import { ChatStandIn } from './chat-stand-in.ts';
import { logger } from './feeds-fixture.ts';
import { logItem } from './log-event.ts';
import { verifyFeed } from './verify-feed.ts';

const secret = 's'.repeat(32);

let infrastructure: TestInfrastructure;
let chat: ChatStandIn;
let environment: Environment;
let database: Database;
let identity: SiteIdentity;
let room: Room;

beforeAll(async () => {
  infrastructure = await startTestInfrastructure();
  chat = await ChatStandIn.start(infrastructure, secret);
  const schemas = [{ schema: 'federation', role: 'boardwire_federation', password: 'p' }];
  const urls = await provisionSchemas(infrastructure.env.DATABASE_URL, schemas);
  const url = urls['federation']!;
  const common = { NODE_ENV: 'test', LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'silent', INTERNAL_SECRET: secret };
  environment = { ...infrastructure.env, ...common, DATABASE_URL: url, CHAT_URL: chat.url };
  database = await openDatabase({ url, schema: 'federation', migrations, logger });
  identity = await loadSiteIdentity(database, new KeyVault([secret]), { name: 'Boardwire', endpoints: [] });
  room = await new Rooms(identity, new RoomStore(database)).create('events', { alias: 'chat', subjects: ['room.>'] });
  await new FeedEpochs(database, identity).openFeed(room.id);
});
afterAll(async () => {
  await database.close();
  await chat.close();
  await infrastructure.stop();
});

async function feed() {
  const reader = new FeedReader(database, identity, new Growth());
  const { epoch } = (await reader.vector(room.id))[identity.siteId]!;
  const items = [];
  for (let more = true; more;) {
    const page = await reader.page(room.id, identity.siteId, epoch, { from: items.length + 1, limit: 256 });
    items.push(...page);
    more = page.length > 0;
  }
  return { items, ids: verifyFeed(items, identity.keys.event.key.publicKey).map(({ id }) => id) };
}

const made = (seq: number) => logItem(seq, { origin: seq % 3 === 0 ? 'bs1other' : identity.siteId });
const localIds = (count: number) =>
  Array.from({ length: count }, (_, at) => at + 1).flatMap((seq) => (seq % 3 === 0 ? [] : [`e${seq}`]));

test('a board’s own events go into its feed, by two replicas and over restarts, and a removal follows them', async () => {
  let replicas: RunningService[] = await Promise.all([boot(environment), boot(environment)]);
  try {
    await chat.publish('events', 300, { made });
    await replicas[0]!.stop();
    await chat.publish('events', 200, { made, mirrored: false });
    replicas = [replicas[1]!, await boot(environment)];
    await chat.publish('events', 100, { made });
    await eventually(async () => expect((await feed()).ids).toEqual(localIds(600)), { timeoutMs: 15_000 });
    for (const seq of [1, 4, 7]) chat.logs.remove('events', seq);
    await eventually(
      async () => {
        const { items, ids } = await feed();
        expect(ids).toHaveLength(400);
        expect(items.flatMap(({ data }, at) => (data === null ? [ids[at]] : []))).toEqual(['e1', 'e4', 'e7']);
      },
      { timeoutMs: 10_000 },
    );
  } finally {
    await Promise.all(replicas.map((replica) => replica.stop()));
  }
});
