import { federationPaths, handshakeAnswerSchema, headAnswerSchema } from '@boardwire/contracts';
import { generateSigningKey } from '@boardwire/signing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { HopSigner } from '../src/hop/hop-signer.ts';
import { keyIdOf } from '../src/identity/site-id.ts';
import type { Room } from '../src/rooms/room-store.ts';
import { PeerSite } from './support/peer-site.ts';
import { PeerStandIn } from './support/peer-stand-in.ts';
import type { WireClient } from './support/wire-client.ts';
import { WireSite } from './support/wire-site.ts';

let site: WireSite;
let room: Room;
let stand: PeerStandIn;

beforeAll(async () => {
  const near = { FEDERATION_ALLOWED_NETWORKS: '127.0.0.1/32', FEDERATION_ALLOWED_HTTP_HOSTS: '127.0.0.1' };
  site = await WireSite.start(near);
  await site.say('events', 1);
  room = await site.room('events');
}, 60_000);
afterAll(() => site?.stop(), 30_000);
beforeEach(async () => {
  stand = await PeerStandIn.start();
});
afterEach(() => stand.close());

/** A site whose hop key has changed since it was let in. */
async function rotated(endpoints: readonly string[]) {
  const before = new PeerSite(room.id, 'Before', endpoints);
  const toBefore = await site.admit(before);
  const hop = generateSigningKey();
  const keys = { ...before.keys, hop: { use: 'hop' as const, key: hop, keyId: keyIdOf('hop', hop.publicKey) } };
  const after: PeerSite = Object.assign(Object.create(before) as PeerSite, {
    hop,
    keys,
    signer: new HopSigner({ site: before.id, keyId: keys.hop.keyId, key: hop }),
  });
  after.document = (...given) => PeerSite.prototype.document.call(after, given[0] ?? 2);
  return { before, toBefore, after, toAfter: site.client(after) };
}

const here = () => [`http://127.0.0.1:${stand.port}`];
const asked = () => stand.requests.filter(({ url }) => url === '/.well-known/boardwire').length;
const head = (client: WireClient) => client.get(federationPaths.head(room.id));
const refused = { failure: 'sig_missing' };

describe('a hop key that is unknown here, of a site that is known', () => {
  test('is looked for in its document, once for all that ask at once', async () => {
    const { after, toAfter, toBefore } = await rotated(here());
    stand.answer = (_request, response) => setTimeout(() => response.end(JSON.stringify(after.document())), 200);
    const answers = await Promise.all(Array.from({ length: 5 }, () => head(toAfter)));
    for (const { status, json } of answers)
      expect([status, headAnswerSchema.safeParse(json).success]).toEqual([200, true]);
    expect(asked()).toBe(1);
    await expect(head(toBefore)).rejects.toMatchObject(refused);
    expect(asked()).toBe(1);
  });

  test('is asked for no second time when the document doesn’t name it', async () => {
    const { before, toAfter, toBefore } = await rotated(here());
    stand.answer = (_request, response) => response.end(JSON.stringify(before.document()));
    for (let turn = 0; turn < 5; turn += 1) await expect(head(toAfter)).rejects.toMatchObject(refused);
    expect(asked()).toBe(1);
    expect((await head(toBefore)).status).toBe(200);
  });

  test('is taken from nobody else’s document, and looked for at no address of a request', async () => {
    const { toAfter } = await rotated(here());
    stand.answer = (_request, response) => response.end(JSON.stringify(new PeerSite(room.id).document(9)));
    await expect(head(toAfter)).rejects.toMatchObject(refused);
    const stranger = site.client(new PeerSite(room.id, 'Stranger', here()));
    await expect(head(stranger)).rejects.toMatchObject(refused);
    const suspended = await rotated(here());
    await site.peers.happened(suspended.before.id, 'suspended');
    await site.restart();
    await expect(head(site.client(suspended.after))).rejects.toMatchObject(refused);
    expect(asked()).toBe(1);
  });

  // What it waits for is five seconds of nothing.
  (process.env['BOARDWIRE_TEST_TIER'] === 'long' ? test : test.skip)(
    'holds nobody up for longer than a few seconds',
    async () => {
      const { toAfter } = await rotated(here());
      stand.answer = () => undefined;
      const from = performance.now();
      await expect(head(toAfter)).rejects.toMatchObject(refused);
      expect(performance.now() - from).toBeLessThan(8_000);
    },
    15_000,
  );
});

describe('a member that nobody can dial', () => {
  const show = (client: WireClient, ver?: number, shown = room.id) =>
    client.post(federationPaths.handshake, { room: shown, document: client.peer.document(ver) });

  test('shows its newer document in a handshake without a secret', async () => {
    const { after, toAfter, toBefore } = await rotated([]);
    await expect(head(toAfter)).rejects.toMatchObject(refused);
    const { status, json } = await show(toAfter);
    expect(status).toBe(200);
    expect(handshakeAnswerSchema.parse(json)).toMatchObject({ state: 'admitted', scopes: ['read', 'write', 'relay'] });
    expect((await head(toAfter)).status).toBe(200);
    await expect(head(toBefore)).rejects.toMatchObject(refused);
    // The key that was given up doesn't come back by the document that named it.
    expect(await show(toBefore, 1)).toMatchObject({ status: 401, json: { code: 'sig_invalid' } });
    await expect(head(toBefore)).rejects.toMatchObject(refused);
    expect((await head(site.client(after))).status).toBe(200);
  });

  test('is let into no room by it, nor is anybody else, nor a peer that is suspended', async () => {
    const { before, toBefore } = await rotated([]);
    const stranger = site.client(new PeerSite(room.id));
    expect(await show(stranger)).toMatchObject({ status: 404, json: { code: 'room_unknown' } });
    expect(await show(toBefore, 1, `br1${'a'.repeat(52)}`)).toMatchObject({ status: 404 });
    await site.peers.happened(before.id, 'suspended');
    expect(await show(toBefore, 1)).toMatchObject({ status: 403, json: { code: 'peer_suspended' } });
  });
});
