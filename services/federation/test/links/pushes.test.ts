import { eventually } from '@boardwire/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { OwnFeeds } from '../../src/feeds/own-feeds.ts';
import { logger } from '../feeds-fixture.ts';
import { logItem } from '../log-event.ts';
import { RemoteSite } from '../remote-site.ts';
import type { FedPeer } from '../support/fed-peer.ts';
import { LinksFixture } from './links-fixture.ts';

let site: LinksFixture;

beforeAll(async () => {
  site = await LinksFixture.start();
}, 60_000);
afterAll(() => site?.stop());
beforeEach(() => site.begin());
afterEach(() => site.end());

const soon = { timeoutMs: 10_000, everyMs: 5 };

/** Its own vector grows by what it was brought. */
function countsPushes(peer: FedPeer): void {
  peer.vectorOf = () => {
    const vector = peer.honestVector();
    for (const { h } of peer.taken) {
      const { site: origin, epoch, oseq } = JSON.parse(Buffer.from(h, 'base64url').toString()) as never;
      vector[origin] = { epoch, n: oseq };
    }
    return vector;
  };
}

const oseqsOf = (peer: FedPeer, origin: string) =>
  peer.taken
    .map(({ h }) => JSON.parse(Buffer.from(h, 'base64url').toString()) as { site: string; oseq: number })
    .filter((header) => header.site === origin)
    .map(({ oseq }) => oseq);
/** What is said on this site, in its own feed. */
async function speak(count: number): Promise<void> {
  const { database, identity, growth, metrics } = site.feeds;
  const items = upTo(count).map((seq) => logItem(seq, { origin: site.site }));
  const range = (board: string) => Promise.resolve({ board, epoch: 'aaaaaaaa', head: count, items });
  const feeds = new OwnFeeds({ database, identity, range, rulesOf: () => [], growth, metrics, logger });
  const at = { board: 'events', epoch: 'aaaaaaaa', class: 'log' as const, streamed: false };
  const events = items.map(({ seq, subject, type, committedMs, datahash, body }) => {
    return { ...at, seq, subject, type, committedMs, datahash, bytes: Buffer.from(body!) };
  });
  await feeds.take('events', events);
}

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

test('to a peer that can’t dial us events are brought: others’ too when it stays behind, new members first', async () => {
  const [deaf, third] = [await site.member(), await site.member()];
  countsPushes(deaf);
  third.write(300);
  site.link();
  await eventually(async () => expect(oseqsOf(deaf, third.id)).toEqual(upTo(300)), soon);
  const [first] = deaf.pushes;
  expect(first!.members?.length).toBe(3);
  expect(deaf.pushes.slice(1).every(({ members }) => members === undefined)).toBe(true);
  expect(deaf.pushes.every(({ items }) => items.length <= 256)).toBe(true);
  // Nothing goes back to where it comes from.
  expect(third.pushes.flatMap(({ items }) => items)).toEqual([]);
});

test('a peer with a stream of its own here is brought nothing', async () => {
  const [listening, third] = [await site.member(), await site.member()];
  site.contacts.streamOpened(listening.id, site.room.id);
  third.write(10);
  site.link();
  await eventually(async () => expect(await site.has(third)).toBe(10), soon);
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect(listening.pushes).toEqual([]);
});

test('a peer that gets nothing of the stream it has open here is brought what is new', async () => {
  const vanished = await site.member();
  countsPushes(vanished);
  const { id: room } = site.room;
  site.contacts.streamOpened(vanished.id, room);
  const dismissed = new Promise<void>((resolve) => {
    site.contacts.onDismissed((peer) => {
      site.contacts.streamClosed(peer, room);
      resolve();
    });
  });
  site.link();
  await eventually(async () => expect(vanished.streams.length).toBe(1), soon);
  await speak(3);
  vanished.heartbeat(vanished.stream!);
  await dismissed;
  await eventually(async () => expect(oseqsOf(vanished, site.site)).toEqual(upTo(3)), soon);
});

test('a peer that takes nothing is not asked on and on', async () => {
  const [stubborn, third] = [await site.member(), await site.member()];
  stubborn.onPush = (push) => push.items.map(() => ({ outcome: 'frozen' }));
  third.write(3);
  site.link();
  await eventually(async () => expect(stubborn.pushes.length).toBeGreaterThan(1), soon);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  expect(stubborn.pushes.length).toBeLessThan(6);
});

test('a site that is named in no record is not brought to anybody', async () => {
  const peer = await site.member();
  const stranger = new RemoteSite(site.room.id);
  peer.feeds.set(`${stranger.id} e1`, stranger.feed(2));
  site.link();
  await eventually(async () => expect(peer.streams.length).toBe(1), soon);
  peer.heartbeat(peer.stream!);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(await site.has(stranger)).toBe(0);
});
