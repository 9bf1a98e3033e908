import {
  federationPaths,
  feedPageSchema,
  handshakeAnswerSchema,
  headAnswerSchema,
  pushAnswerSchema,
  reconcileAnswerSchema,
  type FeedVector,
} from '@boardwire/contracts';
import { eventually } from '@boardwire/test-kit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { buffer } from 'node:stream/consumers';
import type { Room } from '../src/rooms/room-store.ts';
import { PeerSite } from './support/peer-site.ts';
import { PeerStandIn } from './support/peer-stand-in.ts';
import type { OpenedStream } from './support/wire-client.ts';
import { WireSite } from './support/wire-site.ts';
import { verifyFeed } from './verify-feed.ts';

let site: WireSite;
let board = 0;
let room: Room;

beforeAll(async () => {
  const near = { FEDERATION_ALLOWED_NETWORKS: '127.0.0.1/32', FEDERATION_ALLOWED_HTTP_HOSTS: '127.0.0.1' };
  site = await WireSite.start({ FEDERATION_HEARTBEAT_MS: '700', ...near });
}, 60_000);
afterAll(() => site?.stop(), 30_000);
beforeEach(async () => {
  board += 1;
  await site.say(`b${board}`, 1);
  room = await site.room(`b${board}`);
});

const own = () => site.identity.siteId;
const outcomesIn = (json: unknown) => pushAnswerSchema.parse(json).outcomes.map(({ outcome }) => outcome);

async function invite(more: { site?: string; scopes?: ('read' | 'write' | 'relay')[] } = {}) {
  const { scopes = ['read', 'write'], ...rest } = more;
  const made = { room: room.id, scopes, subjects: ['room.>'], createdBy: 'op', lifetimeMs: 60_000, ...rest };
  return (await site.invitations.create(made)).secret;
}

describe('a handshake', () => {
  test('waits for the operator, and then brings all it takes to be a member', async () => {
    const peer = new PeerSite(room.id, 'Newcomer');
    const client = site.client(peer);
    const secret = await invite();
    for (let at = 0; at < 2; at += 1) {
      const { status, json } = await client.shake(secret);
      expect([status, handshakeAnswerSchema.parse(json).state]).toEqual([200, 'pending']);
    }
    expect(await site.peers.find(peer.id)).toMatchObject({ state: 'handshake', name: 'Newcomer' });
    expect((await client.get(federationPaths.head(room.id))).json).toMatchObject({ code: 'room_unknown' });
    await site.peers.happened(peer.id, 'shaken');
    const answer = handshakeAnswerSchema.parse((await client.shake(secret)).json);
    expect(answer).toMatchObject({ state: 'admitted', genesis: room.envelope, scopes: ['read', 'write'] });
    expect(answer.state === 'admitted' && answer.members).toHaveLength(2);
    const head = headAnswerSchema.parse((await client.get(federationPaths.head(room.id))).json);
    expect(Object.keys(head.vector)).toEqual([own()]);
    await client.shake(secret);
    await eventually(() => {
      const told = site.audit.decisions.filter(
        ({ action, actor }) => actor === peer.id && action.includes('handshake'),
      );
      const steps = told.map(({ action, detail }) => [action, detail!['count']]);
      expect(steps).toEqual([
        ['federation.handshake.pending', 1],
        ['federation.handshake.admitted', 1],
      ]);
    });
  });

  test('of a site that the operator knows needs no further word, and serves no other site', async () => {
    const [peer, other] = [new PeerSite(room.id), new PeerSite(room.id)];
    const secret = await invite({ site: peer.id });
    expect(await site.client(other).shake(secret)).toMatchObject({ status: 404, json: { code: 'room_unknown' } });
    expect((await site.client(peer).shake(secret)).json).toMatchObject({ state: 'admitted' });
    expect((await site.client(peer).shake(secret)).json).toMatchObject({ state: 'admitted' });
    expect(await site.peers.find(peer.id)).toMatchObject({ state: 'catching_up', isConfirmed: true });
  });

  test('is worth one site, one room, and nothing without its secret', async () => {
    const [peer, other] = [new PeerSite(room.id), new PeerSite(room.id)];
    const secret = await invite();
    expect((await site.client(peer).shake(secret, `br1${'a'.repeat(52)}`)).status).toBe(404);
    expect((await site.client(peer).shake(secret)).status).toBe(200);
    expect((await site.client(other).shake(secret)).status).toBe(404);
    expect((await site.client(other).shake('x'.repeat(43))).status).toBe(404);
    await site.peers.happened(peer.id, 'suspended');
    expect(await site.client(peer).shake(secret)).toMatchObject({ status: 403, json: { code: 'peer_suspended' } });
  });

  test('of a member that was learnt of from others waits for the operator as well', async () => {
    const peer = new PeerSite(room.id);
    const client = await site.admit(peer);
    expect((await client.shake(await invite())).json).toMatchObject({ state: 'pending' });
  });

  test('is judged with the keys of the document that it brings', async () => {
    const [peer, other] = [new PeerSite(room.id), new PeerSite(room.id)];
    const body = { room: room.id, secret: await invite(), document: other.document() };
    // Nobody is proven, so the refusal is nobody's word either.
    await expect(site.client(peer).post(federationPaths.handshake, body)).rejects.toMatchObject({
      failure: 'sig_missing',
    });
    await expect(site.client(peer).post(federationPaths.handshake, { ...body, document: {} })).rejects.toThrow();
    expect(await site.peers.find(other.id)).toBeUndefined();
  });
});

describe('a stream', () => {
  test('brings who takes part, what there is, and what is said from then on, in order', async () => {
    const client = await site.admit(new PeerSite(room.id));
    await site.say(`b${board}`, 300);
    const stream = await client.stream(room.id, {}, [own()]);
    expect(stream.hello).toMatchObject({ room: room.id, heartbeatMs: 700 });
    await eventually(() => expect(stream.named('ev')).toHaveLength(300), { timeoutMs: 10_000 });
    expect(stream.frames.slice(0, 3).map(({ t }) => t)).toEqual(['hello', 'member', 'member']);
    await site.say(`b${board}`, 20);
    await eventually(() => expect(stream.named('ev')).toHaveLength(320), { timeoutMs: 5_000 });
    const items = stream.named('ev').map(({ item }) => item);
    const ids = verifyFeed(items, site.identity.keys.event.key.publicKey).map(({ id }) => id);
    expect(ids).toEqual(Array.from({ length: 320 }, (_, at) => `e${at + 2}`));
    await eventually(() => expect(stream.named('hb').at(-1)!.vector[own()]!.n).toBe(320));
    expect(stream.named('hb').at(-1)!.head).not.toBeNull();
    stream.close();
  });

  test('goes on behind what the peer has, and tells of growth twice a second at most', async () => {
    const client = await site.admit(new PeerSite(room.id));
    await site.say(`b${board}`, 10);
    const first = await client.stream(room.id, {}, [own()]);
    await eventually(() => expect(first.named('ev')).toHaveLength(10));
    const have = first.named('hb').at(-1)?.vector ?? (await first.next('hb')).vector;
    first.close();
    const second = await client.stream(room.id, have, [own()]);
    const before = second.named('hb').length;
    for (let at = 0; at < 20; at += 1) {
      await site.say(`b${board}`, 1);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await eventually(() => expect(second.named('ev')).toHaveLength(20 + 10 - (have[own()]?.n ?? 0)));
    expect(second.named('hb').length - before).toBeLessThanOrEqual(5);
    second.close();
  });

  test('beats while nothing happens', async () => {
    const client = await site.admit(new PeerSite(room.id));
    const stream = await client.stream(room.id, {}, [own()]);
    await eventually(() => expect(stream.named('hb').length).toBeGreaterThanOrEqual(3), { timeoutMs: 3_000 });
    stream.close();
  });

  test('carries others’ feeds when it is asked to, never the peer’s own, nor what came through it', async () => {
    const [ann, ben] = [new PeerSite(room.id), new PeerSite(room.id)];
    const [toAnn, toBen] = [await site.admit(ann), await site.admit(ben)];
    const items = ann.feed(6).map(({ wire }) => wire);
    await toAnn.push(room.id, items.slice(0, 3));
    await toBen.push(room.id, [{ ...items[3]!, via: [ann.id, ben.id] }]);
    await toAnn.push(room.id, items.slice(4));
    const stream = await toBen.stream(room.id, {}, [ann.id, ben.id, own()]);
    await eventually(() => expect(stream.named('ev')).toHaveLength(5));
    const got = stream.named('ev').map(({ item }) => item);
    expect(got.map(({ h }) => h)).toEqual([0, 1, 2, 4, 5].map((at) => items[at]!.h));
    expect(got[0]!.via).toEqual([ann.id, own()]);
    const none = await toAnn.stream(room.id, {}, [ann.id]);
    await none.next('hb');
    expect(none.named('ev')).toEqual([]);
    // What it misses all the same it can ask for by its place.
    const path = federationPaths.feed(room.id, ann.id, ann.epoch, { from: 4, limit: 1 });
    const page = feedPageSchema.parse((await toBen.get(path)).json);
    expect(page).toMatchObject({ n: 6, items: [{ h: items[3]!.h, via: [ann.id, own()] }] });
  });

  test('sends the header that it has itself where the peer has another one', async () => {
    const [ann, ben] = [new PeerSite(room.id), new PeerSite(room.id)];
    const [toAnn, toBen] = [await site.admit(ann), await site.admit(ben)];
    const items = ann.feed(3);
    await toAnn.push(
      room.id,
      items.map(({ wire }) => wire),
    );
    const fork = ann.write(items[1], 'another');
    const have: FeedVector = { [ann.id]: { epoch: ann.epoch, n: 3, hash: fork.hash } };
    const stream = await toBen.stream(room.id, have, [ann.id]);
    expect((await stream.next('ev')).item.h).toBe(items[2]!.wire.h);
  });

  test('says where a feed isn’t kept here, and goes on with the others', async () => {
    const [ann, ben, eve] = [new PeerSite(room.id), new PeerSite(room.id), new PeerSite(room.id)];
    const [toAnn, toBen, toEve] = [await site.admit(ann), await site.admit(ben), await site.admit(eve)];
    const [good] = ann.feed(1);
    const refused = ann.write(good, 'x', { subject: 'dm.a' });
    const { json } = await toAnn.push(
      room.id,
      [good, refused, ann.write(refused, 'y')].map((item) => item!.wire),
    );
    expect(outcomesIn(json)).toEqual(['accepted', 'refused', 'accepted']);
    await toBen.push(
      room.id,
      ben.feed(1).map(({ wire }) => wire),
    );
    const stream = await toEve.stream(room.id, {}, [ann.id, ben.id]);
    expect(await stream.next('gap')).toMatchObject({ site: ann.id, epoch: ann.epoch, from: 2 });
    await eventually(() => expect(stream.named('ev')).toHaveLength(2));
    const pruned = await toEve.get(federationPaths.feed(room.id, ann.id, ann.epoch, { from: 2, limit: 5 }));
    expect(pruned).toMatchObject({ status: 410, json: { code: 'feed_pruned' } });
  });

  test('tells of a member that joins, before its first item', async () => {
    const [ann, ben] = [new PeerSite(room.id), new PeerSite(room.id)];
    const toAnn = await site.admit(ann);
    const stream = await toAnn.stream(room.id, {}, [own(), ben.id]);
    await stream.next('hb');
    const toBen = await site.admit(ben);
    await toBen.push(
      room.id,
      ben.feed(1).map(({ wire }) => wire),
    );
    await stream.next('ev');
    const kinds = stream.frames.map(({ t }) => t).filter((kind) => kind !== 'hb');
    expect(kinds).toEqual(['hello', 'member', 'member', 'member', 'ev']);
  });

  test.each([
    ['is suspended', (peer: PeerSite) => site.peers.happened(peer.id, 'suspended')],
    ['is removed from the room', (peer: PeerSite) => site.decide(peer, 'removed', 2)],
  ])('ends within a second when the peer %s, and pushes end with it', async (_how, decide) => {
    const peer = new PeerSite(room.id);
    const client = await site.admit(peer);
    const stream = await client.stream(room.id, {}, [own()]);
    const from = performance.now();
    await decide(peer);
    expect(await stream.next('bye')).toMatchObject({ code: 'peer_suspended' });
    expect(performance.now() - from).toBeLessThan(1_000);
    await eventually(() => expect(stream.isEnded).toBe(true));
    expect(await client.push(room.id, [])).toMatchObject({ status: 403, json: { code: 'peer_suspended' } });
  });

  test('gives way to a newer one when the peer has too many', async () => {
    const client = await site.admit(new PeerSite(room.id));
    const streams: OpenedStream[] = [];
    for (let at = 0; at < 5; at += 1) streams.push(await client.stream(room.id, {}, [own()]));
    expect(await streams[0]!.next('bye')).toMatchObject({ code: 'superseded' });
    await eventually(() => expect(streams.map(({ isEnded }) => isEnded)).toEqual([true, false, false, false, false]));
    const metrics = await (await fetch(`${site.url}/metrics`)).text();
    expect(Number(/^boardwire_fed_streams_open (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThanOrEqual(4);
    for (const stream of streams) stream.close();
  });

  test('ends with a word when the service stops', async () => {
    const client = await site.admit(new PeerSite(room.id));
    const stream = await client.stream(room.id, {}, [own()]);
    await site.restart();
    expect(await stream.next('bye')).toMatchObject({ code: 'draining', retryMs: expect.any(Number) });
    await eventually(() => expect(stream.isEnded).toBe(true));
  });
});

describe('a push', () => {
  test('is answered item by item and with what the site has now', async () => {
    const peer = new PeerSite(room.id);
    const client = await site.admit(peer);
    const items = peer.feed(4).map(({ wire }) => wire);
    const first = pushAnswerSchema.parse((await client.push(room.id, [items[0], 'junk', items[1], items[3]])).json);
    expect(first.outcomes.map(({ outcome }) => outcome)).toEqual(['accepted', 'unverifiable', 'accepted', 'gap']);
    expect(first.vector[peer.id]).toMatchObject({ epoch: peer.epoch, n: 2 });
    expect(outcomesIn((await client.push(room.id, items)).json)).toEqual([
      'duplicate',
      'duplicate',
      'accepted',
      'accepted',
    ]);
    await eventually(() => expect(site.chat.logs.foreign.get(`b${board}`)?.map(({ id }) => id)).toHaveLength(4));
  });

  test('brings members along, so that items of a new one are taken at once', async () => {
    const [ann, ben] = [new PeerSite(room.id), new PeerSite(room.id)];
    const toAnn = await site.admit(ann);
    await site.decide(ben, 'added', 1);
    const items = ben.feed(2).map(({ wire }) => ({ ...wire, via: [ben.id, ann.id] }));
    expect(outcomesIn((await toAnn.push(room.id, items)).json)).toEqual(['unverifiable', 'unverifiable']);
    expect(outcomesIn((await toAnn.push(room.id, items, [ben.bundle(), {}])).json)).toEqual(['accepted', 'accepted']);
    expect(await site.peers.find(ben.id)).toMatchObject({ state: 'catching_up' });
  });

  test('of items that nobody honest would carry suspends the carrier at the third', async () => {
    const peer = new PeerSite(room.id);
    const client = await site.admit(peer);
    const bad = peer.feed(3).map(({ wire }) => ({ ...wire, data: 'AAAA' }));
    expect(outcomesIn((await client.push(room.id, bad.slice(0, 2))).json)).toEqual(['unverifiable', 'unverifiable']);
    expect((await site.peers.find(peer.id))!.state).toBe('catching_up');
    await client.push(room.id, bad.slice(2));
    expect(await site.peers.find(peer.id)).toMatchObject({ state: 'suspended', reason: 'datahash' });
    expect((await client.push(room.id, [])).status).toBe(403);
    await eventually(() =>
      expect(site.audited('federation.suspend')).toContainEqual(expect.objectContaining({ actor: peer.id })),
    );
  });
});

describe('forks', () => {
  test('that a peer shows by what it pushes are told to every other member, once each', async () => {
    const stand = await PeerStandIn.start();
    const ben = new PeerSite(room.id, 'Ben', [`http://127.0.0.1:${stand.port}`]);
    const told: unknown[] = [];
    let isAway = true;
    stand.answer = (request, response) =>
      void buffer(request).then((sent) => {
        const path = request.url!;
        if (path !== federationPaths.evidence(room.id) || isAway) return response.writeHead(503).end();
        told.push(JSON.parse(sent.toString()));
        const answer = { status: 204, body: Buffer.alloc(0), contentType: 'application/json' };
        const requestSignature = String(request.headers['signature']).slice('bw='.length);
        return response.writeHead(204, ben.signer.signAnswer({ ...answer, requestSignature })).end();
      });
    try {
      const [ann, eve] = [new PeerSite(room.id), new PeerSite(room.id)];
      const [toAnn, toEve] = [await site.admit(ann), await site.admit(eve), await site.admit(ben)];
      const [first] = ann.feed(1);
      const other = ann.write(undefined, 'another');
      await toAnn.push(room.id, [first!.wire]);
      expect(outcomesIn((await toEve.push(room.id, [other.wire])).json)).toEqual(['equivocation']);
      await eventually(() => expect(stand.requests.some(({ url }) => url!.endsWith('/evidence'))).toBe(true));
      isAway = false;
      await eventually(() => expect(told).toHaveLength(1), { timeoutMs: 12_000 });
      const headers = (told[0] as { items: { h: string; data: unknown }[] }).items;
      expect(headers.map(({ h, data }) => [h, data])).toEqual([
        [first!.wire.h, null],
        [other.wire.h, null],
      ]);
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      expect(told).toHaveLength(1);
    } finally {
      await stand.close();
    }
  }, 30_000);

  test('are found by comparing heads, and then by the hashes of a range', async () => {
    const peer = new PeerSite(room.id);
    const client = await site.admit(peer);
    const items = peer.feed(5);
    await client.push(
      room.id,
      items.map(({ wire }) => wire),
    );
    const head = (n: number, hash: string) => ({ site: peer.id, epoch: peer.epoch, n, hash });
    const compare = async (...heads: object[]) =>
      reconcileAnswerSchema.parse((await client.post(federationPaths.reconcile(room.id), { heads })).json);
    expect(await compare(head(5, items[4]!.hash), head(9, 'a'.repeat(64)))).toMatchObject({ differences: [] });
    expect(await compare(head(3, 'a'.repeat(64)))).toMatchObject({ differences: [head(3, items[2]!.hash)] });
    const range = { site: peer.id, epoch: peer.epoch, from: 2, to: 4 };
    const { json } = await client.post(federationPaths.reconcile(room.id), range);
    expect(json).toEqual({ hashes: items.slice(1, 4).map(({ hash }) => hash) });
  });

  test('are proven by evidence, which freezes the feed and is told no second time', async () => {
    const [peer, other] = [new PeerSite(room.id), new PeerSite(room.id)];
    const [client, toOther] = [await site.admit(peer), await site.admit(other)];
    const items = peer.feed(3);
    const fork = peer.write(items[1], 'another');
    await client.push(
      room.id,
      items.map(({ wire }) => wire),
    );
    const path = federationPaths.evidence(room.id);
    for (const pair of [
      [items[2]!, items[2]!],
      [items[1]!, items[2]!],
    ]) {
      const answer = await toOther.post(path, { items: pair.map(({ wire }) => wire) });
      expect(answer).toMatchObject({ status: 400, json: { code: 'malformed' } });
    }
    const stripped = [fork, items[2]!].map(({ wire }) => ({ ...wire, salt: null, data: null }));
    for (let at = 0; at < 2; at += 1) expect((await toOther.post(path, { items: stripped })).status).toBe(204);
    const rows = await site.database.query<{ carrier: string; hash: string }>(
      `SELECT carrier, encode(other_hash, 'hex') AS hash FROM evidence WHERE site = $1`,
      [peer.id],
    );
    expect(rows).toEqual([{ carrier: other.id, hash: fork.hash }]);
    expect(outcomesIn((await client.push(room.id, [peer.write(items[2], 'later').wire])).json)).toEqual(['frozen']);
    const behind = federationPaths.feed(room.id, peer.id, peer.epoch, { from: 4, limit: 1 });
    expect(await toOther.get(behind)).toMatchObject({ status: 409, json: { code: 'equivocation' } });
  });
});
