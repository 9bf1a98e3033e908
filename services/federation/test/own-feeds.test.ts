import { setTimeout as sleep } from 'node:timers/promises';
import type { RangeItem, SubjectRule, WireItem } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import type { FollowedEvent } from '@boardwire/follower';
import { seededRandom, type SeededRandom } from '@boardwire/test-kit';
import { verifyEnvelope } from '@boardwire/signing';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { OwnRedactions } from '../src/feeds/own-redactions.ts';
import { OwnFeeds, type FeedStep } from '../src/feeds/own-feeds.ts';
import type { Room } from '../src/rooms/room-store.ts';
import { FeedsFixture, logger } from './feeds-fixture.ts';
import { logItem, type LogEvent } from './log-event.ts';
import { verifyFeed } from './verify-feed.ts';

const board = 'events';
const epoch = 'aaaaaaaa';
const rules: SubjectRule[] = [{ pattern: 'room.club.>', class: 'log', access: 'members' }];

let site: FeedsFixture;
let room: Room;
let log: RangeItem[];
let feedEpoch: string;

beforeAll(async () => {
  site = await FeedsFixture.start();
});
afterAll(() => site.stop());
beforeEach(async () => {
  await site.clear();
  log = [];
  putBack = [];
  isWaiting = false;
  room = await site.rooms.create(board, { alias: 'test-chat', subjects: ['room.>', 'dm.>', 'GameScore.*'] });
  await site.epochs.openFeed(room.id);
  feedEpoch = (await site.reader.vector(room.id))[site.identity.siteId]!.epoch;
});

let isWaiting = false;
let putBack: string[] = [];

function feedsOver(database: Database, probe?: (step: FeedStep) => void): OwnFeeds {
  const range = (of: string, { from, to }: { from: number; to: number }) =>
    Promise.resolve({ board: of, epoch, head: log.length, items: log.slice(from - 1, Math.min(to, from + 63)) });
  const { identity, growth, metrics } = site;
  const mayGrow = () => !isWaiting;
  const onPutBack = (of: string) => {
    putBack.push(of);
    isWaiting = true;
  };
  return new OwnFeeds({
    database,
    identity,
    range,
    rulesOf: () => rules,
    growth,
    metrics,
    logger,
    mayGrow,
    onPutBack,
    probe,
  });
}

const own = () => site.identity.siteId;
function append(...events: Partial<LogEvent>[]): void {
  for (const event of events) log.push(logItem(log.length + 1, { origin: own(), ...event }));
}

function followed(from: number, to: number): FollowedEvent[] {
  return log.slice(from - 1, to).map(({ seq, subject, type, body, committedMs, datahash }) => {
    const bytes = Buffer.from(body ?? '');
    return { board, epoch, seq, subject, type, class: 'log', bytes, committedMs, streamed: false, datahash };
  });
}

async function wholeFeed(ofEpoch = feedEpoch): Promise<WireItem[]> {
  const items: WireItem[] = [];
  for (;;) {
    const page = await site.reader.page(room.id, own(), ofEpoch, { from: items.length + 1, limit: 100 });
    if (page.length === 0) return items;
    items.push(...page);
  }
}

test('a database that was put back under a running service is noticed before a place is signed again', async () => {
  const feeds = feedsOver(site.database);
  append({}, {}, {}, {});
  await feeds.take(board, followed(1, 4));
  const [{ n, hash }] = (await site.database.query<{ n: number; hash: Buffer }>(
    `SELECT 2 AS n, hash FROM feed_item WHERE site = $1 AND oseq = 2`,
    [own()],
  )) as [{ n: number; hash: Buffer }];
  await site.database.query('DELETE FROM feed_item WHERE oseq > 2');
  await site.database.query('UPDATE feed SET n = $1, hash = $2, board_seq = 2', [n, hash]);
  await site.database.query('UPDATE mark SET seq = 2');
  log.length = 2;
  append({ id: 'another' });
  await feeds.take(board, followed(3, 3));
  expect(putBack).toEqual([room.id]);
  expect(await wholeFeed()).toHaveLength(2);
  // In a new epoch it goes on.
  isWaiting = false;
  await site.epochs.openFeed(room.id);
  await feeds.resume(board);
  const { epoch: next } = (await site.reader.vector(room.id))[own()]!;
  expect(headersOf(await wholeFeed(next)).map(({ id }) => id)).toEqual(['another']);
  expect(putBack).toEqual([room.id]);
});

test('a feed that has to wait signs nothing while the log goes on, and gets all of it afterwards', async () => {
  const random = seededRandom();
  isWaiting = true;
  const wanted = fillLog(random, 200);
  const feeds = feedsOver(site.database);
  await feeds.take(board, followed(1, 120));
  await feeds.take(board, followed(121, 200));
  expect(await mark()).toBe(200);
  expect(await wholeFeed()).toEqual([]);
  isWaiting = false;
  await feeds.resume(board);
  expect(headersOf(await wholeFeed()).map(({ id }) => id)).toEqual(wanted);
  wanted.push(...fillLog(random, 50));
  await feeds.take(board, followed(201, 250));
  expect(headersOf(await wholeFeed()).map(({ id }) => id)).toEqual(wanted);
});

const headersOf = (items: readonly WireItem[]) => verifyFeed(items, site.identity.keys.event.key.publicKey);
const mark = async () =>
  (await site.database.query<{ seq: number }>('SELECT seq FROM mark WHERE board = $1', [board]))[0]?.seq;

/** Some of everything; answers the ids that belong into the feed. */
function fillLog(random: SeededRandom, count: number): string[] {
  const kinds: Partial<LogEvent>[] = [
    {},
    {},
    {},
    { bytes: Buffer.from([1, 2, 255]) },
    { extensions: { partitionkey: 'ü' } },
    { origin: 'bs1other' },
    { subject: 'Elsewhere.a' },
    { subject: 'dm.a.b' },
    { subject: 'room.a.chat.private.x' },
    { subject: 'room.club.chat' },
    { isRemoved: true },
  ];
  const shared = new Set(kinds.slice(0, 5));
  const wanted: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const kind = random.pick(kinds);
    append(kind);
    if (shared.has(kind)) wanted.push(`e${log.length}`);
  }
  return wanted;
}

/** What a follower does: batches in order, each again until it resolves. */
async function follow(feeds: OwnFeeds, random: SeededRandom): Promise<void> {
  let at = 0;
  while (at < log.length) {
    const to = Math.min(log.length, at + random.integer(1, 80));
    try {
      await feeds.take(board, followed(at + 1, to));
      at = to;
    } catch {
      await sleep(random.integer(0, 3));
    }
  }
}

test('500 events by concurrent replicas: dense, linked, signed, each once, and nothing that has to stay', async () => {
  const random = seededRandom();
  const wanted = fillLog(random, 500);
  const replicas = [feedsOver(site.database), feedsOver(site.other), feedsOver(site.other)];
  await Promise.all(replicas.map((feeds) => follow(feeds, random.fork())));
  const headers = headersOf(await wholeFeed());
  expect(headers.map(({ id }) => id)).toEqual(wanted);
  expect(await mark()).toBe(500);
});

test('a failure at any step neither loses nor doubles', async () => {
  const random = seededRandom();
  const wanted = fillLog(random, 300);
  let failures = 0;
  const probe = () => {
    if (random.next() > 0.5) return;
    failures += 1;
    throw new Error('crash');
  };
  await Promise.all([
    follow(feedsOver(site.database, probe), random.fork()),
    follow(feedsOver(site.other, probe), random.fork()),
  ]);
  expect(failures).toBeGreaterThan(3);
  expect(headersOf(await wholeFeed()).map(({ id }) => id)).toEqual(wanted);
});

test('feed and mark are one: what was rolled back left no trace', async () => {
  append({}, {});
  const feeds = feedsOver(site.database, (step) => {
    if (step === 'appended') throw new Error('crash');
  });
  await expect(feeds.take(board, followed(1, 2))).rejects.toThrow('crash');
  expect(await mark()).toBeUndefined();
  expect(await wholeFeed()).toEqual([]);
});

test('the header says all there is to say of an event', async () => {
  append({ data: { z: 1, a: [null] }, extensions: { partitionkey: 'k' } });
  await feedsOver(site.database).take(board, followed(1, 1));
  const [item] = await wholeFeed();
  expect(headersOf([item!])[0]).toEqual({
    v: 1,
    room: room.id,
    site: own(),
    epoch: feedEpoch,
    oseq: 1,
    prev: '0'.repeat(64),
    subject: 'room.a.chat',
    type: 'chat.post',
    time: '2026-01-01T00:00:00Z',
    id: 'e1',
    source: '/users/1',
    author: '1',
    authorname: 'Ann',
    datacontenttype: 'application/json',
    extensions: { partitionkey: 'k' },
    datahash: log[0]!.datahash,
    dsize: 18,
    dform: 'json',
    kid: site.identity.keys.event.keyId,
  });
  expect(Buffer.from(item!.data!, 'base64url').toString()).toBe('{"z":1,"a":[null]}');
  expect(item!.via).toEqual([own()]);
});

test('two people may use one id', async () => {
  append({ id: 'same', source: '/users/1' }, { id: 'same', source: '/users/2' });
  await feedsOver(site.database).take(board, followed(1, 2));
  expect(headersOf(await wholeFeed()).map(({ source }) => source)).toEqual(['/users/1', '/users/2']);
});

test('a new epoch begins with oseq 1, goes on in the log, and does not tell an event again', async () => {
  append({}, {}, {});
  const feeds = feedsOver(site.database);
  await feeds.take(board, followed(1, 2));
  const record = await site.epochs.openFeed(room.id);
  await feeds.take(board, followed(1, 3));
  const next = (await site.reader.vector(room.id))[own()]!;
  expect(next).toMatchObject({ n: 1 });
  expect(next.epoch).not.toBe(feedEpoch);
  expect(headersOf(await wholeFeed(next.epoch)).map(({ id }) => id)).toEqual(['e3']);
  const payload = JSON.parse(Buffer.from(record.payload, 'base64url').toString()) as object;
  expect(payload).toMatchObject({ ordinal: 1, after: { epoch: feedEpoch, n: 2 } });
});

test('a head is signed, and says where the feed is', async () => {
  expect(await site.reader.signedHead(room.id)).toBeUndefined();
  append({}, {});
  let grown = 0;
  const off = site.reader.onGrown(() => (grown += 1));
  await feedsOver(site.database).take(board, followed(1, 2));
  off();
  expect(grown).toBe(1);
  const head = (await site.reader.signedHead(room.id))!;
  const bytes = verifyEnvelope(head, 'application/vnd.boardwire.feed-head+json', site.identity.keys.event.key)!;
  const { n, hash } = (await site.reader.vector(room.id))[own()]!;
  expect(JSON.parse(bytes.toString())).toMatchObject({ room: room.id, site: own(), epoch: feedEpoch, n, hash });
  expect(n).toBe(2);
});

test('an event whose attributes fill more than a header stays here, and the feed goes on', async () => {
  const extensions = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, 'x'.repeat(1_000)]));
  append({}, { extensions }, {});
  await feedsOver(site.database).take(board, followed(1, 3));
  expect(headersOf(await wholeFeed()).map(({ id }) => id)).toEqual(['e1', 'e3']);
  expect((await site.outcomes('out'))['too_large']).toBe(1);
});

test('a removed event keeps its place and its header, and loses its data', async () => {
  append({}, {}, {});
  await feedsOver(site.database).take(board, followed(1, 2));
  const removed = [3, 2];
  const redactions = new OwnRedactions({
    database: site.database,
    siteId: own(),
    removed: () => Promise.resolve(removed),
    logger,
  });
  const { signal } = new AbortController();
  redactions.look([{ slug: board, removals: 2 }]);
  await redactions.pass(signal);
  expect((await wholeFeed()).map(({ data, salt }) => [data === null, salt === null])).toEqual([
    [false, false],
    [true, true],
  ]);
  // Read before it was removed, written after: the next look finds it.
  await feedsOver(site.database).take(board, followed(3, 3));
  await redactions.pass(signal);
  const items = await wholeFeed();
  expect(items.map(({ data }) => data === null)).toEqual([false, true, true]);
  expect(headersOf(items).map(({ id }) => id)).toEqual(['e1', 'e2', 'e3']);
});
