import { eventually } from '@boardwire/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { boundedRetryMs, retryAfterMsOf } from '../../src/links/link-error.ts';
import type { Written } from '../remote-site.ts';
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
const has = (peer: FedPeer | { id: string }, count: number) =>
  eventually(async () => expect(await site.has(peer)).toBe(count), soon);
const streams = (peer: FedPeer, count = 1) =>
  eventually(async () => expect(peer.streams.length).toBeGreaterThanOrEqual(count), soon);
const repairs = async () => {
  const { values } = await site.feeds.registry.registry.getSingleMetric('boardwire_fed_repairs_total')!.get();
  return values.find(({ labels }) => labels['outcome'] === 'repaired')?.value ?? 0;
};

test('what a peer has and what it says later comes by one stream, in its order, and makes it live', async () => {
  const peer = await site.member();
  peer.write(300);
  const links = site.link();
  await has(peer, 300);
  for (let n = 0; n < 20; n += 1) peer.stream!.items(...peer.write(5));
  peer.heartbeat(peer.stream!);
  await has(peer, 400);
  expect(peer.streams.length).toBe(1);
  expect(peer.streams[0]!.request.feeds).toEqual([peer.id]);
  await eventually(async () => expect((await site.peers.find(peer.id))?.state).toBe('live'), soon);
  expect(links.of(peer.id)).toMatchObject({ lagEvents: 0, lagSeconds: 0, streamOpen: true });
  expect(await site.feeds.outcomes('in')).toMatchObject({ accepted: 400 });
  expect(await site.feeds.outcomes('in')).not.toHaveProperty('duplicate');
});

test('a stream that was cut goes on from where it was, and so does one after a restart', async () => {
  const peer = await site.member();
  peer.write(10);
  site.link();
  await has(peer, 10);
  peer.stream!.cut();
  peer.write(10);
  await has(peer, 20);
  await site.unlink();
  peer.write(10);
  site.link();
  await has(peer, 30);
  expect(peer.streams.map(({ request }) => request.have[peer.id]?.n)).toEqual([0, 10, 20]);
});

test('a connection of which only one end is left is noticed by its missing heartbeats', async () => {
  const peer = await site.member();
  peer.heartbeatMs = 200;
  site.link();
  await streams(peer);
  const first = Date.now();
  // It says nothing, and nobody closes anything.
  peer.write(3);
  await has(peer, 3);
  expect(Date.now() - first).toBeGreaterThan(400);
  expect(peer.streams.length).toBe(2);
});

test('a peer that takes every call and answers none slows nobody', async () => {
  const [dead, alive] = [await site.member(), await site.member()];
  dead.intercept = () => new Promise(() => undefined);
  alive.write(50);
  site.link();
  await eventually(async () => expect(await site.has(alive)).toBe(50), { timeoutMs: 3_000 });
});

test('a feed of a site that can’t be reached comes through one other member, and from itself when it is back', async () => {
  const [one, two, gone] = [await site.member(), await site.member(), await site.member()];
  gone.write(20);
  for (const carrier of [one, two]) carrier.feeds.set(`${gone.id} e1`, gone.feed(gone.site).slice());
  const duplicates = (await site.feeds.outcomes('in'))['duplicate'] ?? 0;
  const carried = () => [one, two].filter((peer) => peer.stream?.request.feeds.includes(gone.id));
  gone.intercept = (_kind, _request, response) => {
    response.destroy();
    return true;
  };
  site.link();
  await has(gone, 20);
  await eventually(() => expect(carried().length).toBe(1), soon);
  gone.intercept = () => false;
  gone.write(5);
  await site.peers.contacted(gone.id);
  await has(gone, 25);
  await eventually(async () => expect(carried().length).toBe(0), soon);
  // Each came once.
  expect((await site.feeds.outcomes('in'))['duplicate'] ?? 0).toBe(duplicates);
});

test('an event that its carrier withholds is fetched from another member within two seconds', async () => {
  const [carrier, other, gone] = [await site.member(), await site.member(), await site.member()];
  gone.write(10);
  gone.intercept = (_kind, _request, response) => {
    response.destroy();
    return true;
  };
  const feed = gone.feed(gone.site);
  for (const peer of [carrier, other]) peer.feeds.set(`${gone.id} e1`, feed);
  // Neither of them knows of event 5; only one admits it later.
  const without5 = feed.filter(({ header }) => header.oseq !== 5);
  for (const peer of [carrier, other]) {
    peer.onStream = (stream) => {
      if (stream.request.feeds.includes(gone.id)) stream.items(...without5);
    };
    peer.pageOf = () => [];
  }
  site.link();
  await has(gone, 4);
  const asked = [carrier, other].find((peer) => peer.streams.some(({ request }) => request.feeds.includes(gone.id)))!;
  const helper = asked === carrier ? other : carrier;
  const before = await repairs();
  helper.pageOf = (_site, _epoch, from) => feed.filter(({ header }) => header.oseq >= from).map(({ wire }) => wire);
  helper.heartbeat(helper.stream!);
  const from = Date.now();
  await has(gone, 10);
  expect(Date.now() - from).toBeLessThan(2_000);
  await eventually(async () => expect(await repairs()).toBeGreaterThan(before));
});

test('a feed that its stream leaves out goes on by it when somebody else has filled the gap', async () => {
  const [origin, other] = [await site.member(), await site.member()];
  const feed = origin.write(8);
  other.feeds.set(`${origin.id} e1`, feed);
  const kept = ({ header }: (typeof feed)[number]) => header.oseq !== 4;
  origin.onStream = (stream) => {
    const have = stream.request.have[origin.id]?.n ?? 0;
    if (have >= 4) return origin.sendAfter(stream);
    stream.items(...feed.slice(0, 3));
    return stream.send({ t: 'gap', site: origin.id, epoch: 'e1', from: 4 });
  };
  origin.pageOf = (_site, _epoch, from) =>
    from === 4 ? [] : feed.filter((item) => item.header.oseq >= from && kept(item)).map(({ wire }) => wire);
  site.link();
  await has(origin, 8);
  await streams(origin, 2);
  origin.stream!.items(...origin.write(1));
  await has(origin, 9);
});

test('a withheld last event shows in another member’s word', async () => {
  const [one, two] = [await site.member(), await site.member()];
  one.write(9);
  site.link();
  await has(one, 9);
  await streams(two);
  // The origin keeps it from us alone.
  one.onStream = () => undefined;
  const [last] = one.write(1);
  one.pageOf = () => [];
  two.feeds.set(`${one.id} e1`, one.feed(one.site));
  one.vectorOf = () => ({ [one.id]: { epoch: 'e1', n: 9 } });
  two.heartbeat(two.stream!);
  const from = Date.now();
  await has(one, 10);
  expect(Date.now() - from).toBeLessThan(2_000);
  expect(last!.header.oseq).toBe(10);
});

test('an item that doesn’t prove itself is taken from somebody else, and its carrier is blamed', async () => {
  const [bad, good] = [await site.member(), await site.member()];
  const feed = bad.write(6);
  const forged = feed.map((item) =>
    item.header.oseq === 3
      ? { ...item, wire: { ...item.wire, sigs: [{ kid: bad.site.kid, sig: 'A'.repeat(86) }] } }
      : item,
  );
  good.feeds.set(`${bad.id} e1`, feed);
  bad.onStream = (stream) => stream.items(...forged);
  bad.pageOf = (_site, _epoch, from) => forged.filter(({ header }) => header.oseq >= from).map(({ wire }) => wire);
  site.link();
  await has(bad, 6);
  const strikes = await site.feeds.database.query<{ site: string; reason: string }>(
    'SELECT site, reason FROM peer_strike',
  );
  expect(strikes.length).toBeGreaterThan(0);
  expect(new Set(strikes.map(({ site: blamed, reason }) => `${blamed} ${reason}`))).toEqual(
    new Set([`${bad.id} signature`]),
  );
});

const faults: [string, (items: Written) => Written][] = [
  ['a signature', (bad) => ({ ...bad, wire: { ...bad.wire, sigs: [{ ...bad.wire.sigs[0]!, sig: 'A'.repeat(86) }] } })],
  ['data', (bad) => ({ ...bad, wire: { ...bad.wire, data: 'e30' } })],
];

test.each(faults)(
  '%s that fails in a batch checked ahead, or in a page fetched ahead, stops the feed there',
  async (_what, spoil) => {
    const bad = await site.member();
    const feed = bad.write(1_200);
    const forged = feed.map((one) => (one.header.oseq === 700 ? spoil(one) : one));
    const pageOf = (from: number) => forged.filter(({ header }) => header.oseq >= from).map(({ wire }) => wire);
    bad.onStream = (stream) => stream.items(...forged);
    bad.pageOf = (_site, _epoch, from) => pageOf(from);
    site.link();
    await has(bad, 699);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(await site.has(bad)).toBe(699);
    const stored = 'SELECT count(*) AS items, max(oseq) AS last FROM feed_item WHERE site = $1';
    expect(await site.feeds.database.query(stored, [bad.id])).toEqual([{ items: 699, last: 699 }]);
    expect(await site.feeds.database.query('SELECT count(*) AS n FROM handover')).toEqual([{ n: 699 }]);
    // The honest feed goes on where it stopped, each once.
    const good = await site.member();
    good.feeds.set(`${bad.id} e1`, feed);
    await streams(good);
    good.heartbeat(good.stream!);
    await has(bad, 1_200);
    expect(await site.feeds.database.query(stored, [bad.id])).toEqual([{ items: 1_200, last: 1_200 }]);
  },
  30_000,
);

test('a page that was fetched ahead of one that stops is not taken', async () => {
  const peer = await site.member();
  const feed = peer.write(900);
  // By pages alone: its stream brings nothing but word of the last one.
  peer.onStream = (open) => peer.heartbeat(open);
  let isSpoiled = true;
  const spoiled = feed.map((one) => (one.header.oseq === 300 ? faults[0]![1](one) : one));
  const asked: number[] = [];
  peer.pageOf = (_site, _epoch, from) => {
    asked.push(from);
    return (isSpoiled ? spoiled : feed).filter(({ header }) => header.oseq >= from).map(({ wire }) => wire);
  };
  site.link();
  await has(peer, 299);
  await eventually(() => expect(asked).toContain(513), soon);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await site.has(peer)).toBe(299);
  isSpoiled = false;
  await has(peer, 900);
  const stored = 'SELECT count(*) AS items, max(oseq) AS last FROM feed_item WHERE site = $1';
  expect(await site.feeds.database.query(stored, [peer.id])).toEqual([{ items: 900, last: 900 }]);
}, 30_000);

test('however long a peer asks to be left alone, it is for an hour at most, and not when it comes by itself', async () => {
  expect(boundedRetryMs(1e12)).toBe(3_600_000);
  expect(retryAfterMsOf('1000000000')).toBe(3_600_000);
  const peer = await site.member();
  peer.onStream = (stream) => stream.send({ t: 'bye', code: 'draining', retryMs: 1_000_000_000 });
  peer.write(3);
  site.link();
  await streams(peer);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(peer.streams.length).toBe(1);
  peer.onStream = (stream) => peer.sendAfter(stream);
  site.contacts.streamOpened(peer.id, site.room.id);
  await has(peer, 3);
});

test('the backoff outlives a restart, and ends when the peer is there', async () => {
  const peer = await site.member();
  peer.intercept = (_kind, _request, response) => {
    response.destroy();
    return true;
  };
  site.link();
  await eventually(async () => expect((await site.peers.find(peer.id))?.failedAttempts).toBeGreaterThan(2), soon);
  await eventually(async () => expect((await site.peers.find(peer.id))?.state).toBe('offline'), soon);
  await site.unlink();
  await site.feeds.database.query(`UPDATE peer SET dial_at = now() + interval '1 hour'`);
  const before = peer.asked.length;
  peer.intercept = () => false;
  peer.write(1);
  site.link();
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(peer.asked.length).toBe(before);
  await site.peers.contacted(peer.id);
  await has(peer, 1);
});

test('a peer with a new hop key is asked for its document, not all the time', async () => {
  const peer = await site.member();
  peer.write(2);
  site.link();
  await has(peer, 2);
  await site.unlink();
  const { generateSigningKey } = await import('@boardwire/signing');
  peer.hop = generateSigningKey();
  peer.ver = 2;
  peer.write(2);
  site.link();
  await has(peer, 4);
  expect(peer.asked.filter((kind) => kind === 'document').length).toBe(1);
});

test('a peer that is suspended loses its stream within a second', async () => {
  const peer = await site.member();
  peer.write(1);
  const links = site.link();
  await has(peer, 1);
  await site.peers.happened(peer.id, 'suspended', 'test');
  // As whoever decides it does; what another replica decided is seen by the next look at the roster.
  links.poke();
  await eventually(async () => expect(peer.stream).toBeUndefined(), { timeoutMs: 1_000 });
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect(peer.streams.length).toBe(1);
});

test('nothing is said of a refusal once the peer that refused has come by itself and all is well', async () => {
  const peer = await site.member();
  const room = site.room.id;
  peer.write(1);
  site.link();
  await has(peer, 1);
  peer.intercept = (kind, _request, response) => {
    if (kind !== 'stream') return false;
    response.writeHead(403, { 'content-type': 'application/json' }).end('{"code":"peer_suspended"}');
    return true;
  };
  peer.stream!.cut();
  const known = async () => {
    const { state, reason } = (await site.peers.find(peer.id))!;
    return { state, reason };
  };
  const refused = { state: 'degraded', reason: 'it refuses: peer_suspended' };
  await eventually(async () => expect(await known()).toEqual(refused), soon);
  site.contacts.streamOpened(peer.id, room);
  await eventually(async () => {
    // As its heartbeats say it again and again.
    site.contacts.learnt(peer.id, room, peer.vectorOf());
    expect(await known()).toEqual({ state: 'live', reason: undefined });
  }, soon);
  site.contacts.streamClosed(peer.id, room);
});

const missed = process.env['BOARDWIRE_TEST_TIER'] === 'long' ? 10_000 : 2_000;

test(`${missed} events after a partition come, many at a time`, async () => {
  const peer = await site.member();
  peer.write(1);
  site.link();
  await has(peer, 1);
  await site.unlink();
  peer.write(missed);
  const from = performance.now();
  site.link();
  await eventually(async () => expect(await site.has(peer)).toBe(missed + 1), { timeoutMs: 30_000 });
  const ms = performance.now() - from;
  process.stdout.write(`${missed} events in ${Math.round(ms)} ms\n`);
  // A selection of tests runs beside much else.
  if (process.env['BOARDWIRE_TEST_TIER'] === 'long') expect(ms).toBeLessThan(10_000);
}, 60_000);
