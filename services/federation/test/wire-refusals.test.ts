import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import {
  federationErrorCodes,
  federationErrorTable,
  federationLimits,
  federationPaths,
  federationProblemSchema,
  type FederationErrorCode,
} from '@boardwire/contracts';
import { eventually } from '@boardwire/test-kit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { HopSigner } from '../src/hop/hop-signer.ts';
import type { Room } from '../src/rooms/room-store.ts';
import { PeerSite } from './support/peer-site.ts';
import type { WireClient } from './support/wire-client.ts';
import { WireSite } from './support/wire-site.ts';

let site: WireSite;
let room: Room;
let peer: PeerSite;
let client: WireClient;
const seen = new Set<FederationErrorCode>();

beforeAll(async () => {
  site = await WireSite.start();
  await site.say('events', 1);
  room = await site.room('events');
  peer = new PeerSite(room.id);
  client = await site.admit(peer);
}, 60_000);
afterAll(() => site?.stop(), 30_000);

interface Sent {
  path?: string;
  method?: string;
  body?: Uint8Array;
  headers?: Record<string, string>;
  sent?: Uint8Array;
  by?: HopSigner;
  destination?: string;
}

/** A request as any program could send it: signed for what `body` is, sent with what `sent` is. */
async function raw({ path = federationPaths.events(room.id), method = 'POST', ...how }: Sent = {}) {
  const { body = Buffer.from('{"items":[]}'), sent = body, by = peer.signer, destination = site.identity.siteId } = how;
  const headers = { ...by.sign({ method, url: path, body, destination }), ...how.headers };
  const response = await fetch(site.url + path, {
    method,
    headers,
    ...(method === 'GET' ? {} : { body: Buffer.from(sent) }),
  });
  return { status: response.status, headers: response.headers, problem: await response.json() };
}

async function refusal(sent: Sent): Promise<FederationErrorCode> {
  const { status, problem, headers } = await raw(sent);
  const { code, status: told } = federationProblemSchema.parse(problem);
  expect([code, status, told]).toEqual([code, federationErrorTable[code].status, federationErrorTable[code].status]);
  if (status === 429 || status === 503) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  seen.add(code);
  return code;
}

/** A signed refusal of a proven peer. */
async function signedRefusal(answer: ReturnType<WireClient['get']>): Promise<FederationErrorCode> {
  const { status, json } = await answer;
  const { code } = federationProblemSchema.parse(json);
  expect(status).toBe(federationErrorTable[code].status);
  seen.add(code);
  return code;
}

const at = (ms: number, nonce?: string) =>
  new HopSigner({
    site: peer.id,
    keyId: peer.keys.hop.keyId,
    key: peer.hop,
    now: () => Date.now() + ms,
    ...(nonce === undefined ? {} : { nonce: () => nonce }),
  });

describe('what proves nothing', () => {
  test('is refused by what is wrong with it, unsigned', async () => {
    expect((await raw()).status).toBe(200);
    expect((await raw({ by: new PeerSite(room.id).signer })).headers.get('signature')).toBeNull();
    expect(await refusal({ by: new PeerSite(room.id).signer })).toBe('sig_invalid');
    expect(await refusal({ headers: { signature: '' } })).toBe('sig_missing');
    expect(await refusal({ headers: { 'bf-protocol': '' } })).toBe('sig_missing');
    expect(await refusal({ sent: Buffer.from('{"items":[1]}') })).toBe('digest_mismatch');
    expect(await refusal({ by: at(-federationLimits.clockSkewMs - 70_000) })).toBe('sig_expired');
    expect(await refusal({ by: at(federationLimits.clockSkewMs + 5_000) })).toBe('clock_skew');
    expect(await refusal({ destination: peer.id })).toBe('wrong_destination');
    expect(await refusal({ headers: { 'bf-protocol': 'boardwire-fed/2' } })).toBe('upgrade_required');
    expect(await refusal({ path: '/fed/v1/nothing' })).toBe('upgrade_required');
    expect(await refusal({ path: `${federationPaths.events(room.id)}?a=%zz` })).toBe('malformed');
  });

  test('counts once, whatever it asks for', async () => {
    const nonce = randomBytes(16).toString('hex');
    expect((await raw({ by: at(0, nonce) })).status).toBe(200);
    expect(await refusal({ by: at(0, nonce) })).toBe('nonce_replayed');
    expect(await refusal({ by: at(0, nonce), path: federationPaths.reconcile(room.id) })).toBe('nonce_replayed');
  });

  test('moves nothing of a peer whose key it can’t have: keys of another use, keys that were given up', async () => {
    const { keyId, key } = peer.keys.event;
    expect(await refusal({ by: new HopSigner({ site: peer.id, keyId, key }) })).toBe('sig_invalid');
    expect(await refusal({ by: new HopSigner({ site: peer.id, keyId: peer.keys.hop.keyId, key }) })).toBe(
      'sig_invalid',
    );
  });
});

describe('what a peer may not', () => {
  test('is answered with a signed refusal', async () => {
    const stranger = `br1${'a'.repeat(52)}`;
    expect(await signedRefusal(client.get(federationPaths.head(stranger)))).toBe('room_unknown');
    const elsewhere = await site.say('others', 1).then(() => site.room('others'));
    expect(await signedRefusal(client.get(federationPaths.head(elsewhere.id)))).toBe('room_unknown');
    const reader = await site.admit(new PeerSite(room.id), ['read']);
    expect(await signedRefusal(reader.push(room.id, []))).toBe('direction_denied');
    const writer = new PeerSite(room.id);
    const toWriter = await site.admit(writer, ['write']);
    expect(await signedRefusal(toWriter.get(federationPaths.head(room.id)))).toBe('direction_denied');
    expect(
      (
        await toWriter.push(
          room.id,
          writer.feed(1).map(({ wire }) => wire),
        )
      ).status,
    ).toBe(200);
    expect(
      await signedRefusal(
        toWriter.push(
          room.id,
          peer.feed(1).map(({ wire }) => wire),
        ),
      ),
    ).toBe('direction_denied');
    const gone = new PeerSite(room.id);
    const toGone = await site.admit(gone);
    await site.peers.happened(gone.id, 'revoked');
    await eventually(async () => expect(await signedRefusal(toGone.push(room.id, []))).toBe('peer_suspended'));
  });

  test('is more than fits, inflated or not, and isn’t read to its end', async () => {
    const items = Array.from({ length: federationLimits.batchItemsMax + 1 }, () => ({}));
    expect(await signedRefusal(client.push(room.id, items))).toBe('malformed');
    const [item] = peer.feed(1);
    const large = Array.from({ length: 20 }, () => ({ ...item!.wire, data: 'A'.repeat(87_000) }));
    expect(await signedRefusal(client.push(room.id, large))).toBe('too_large');
    expect(await refusal({ body: Buffer.alloc(3_000_000, 0x20) })).toBe('too_large');
    const bomb = gzipSync(Buffer.alloc(2_000_000, 0x20));
    expect(await refusal({ body: bomb, headers: { 'content-encoding': 'gzip' } })).toBe('too_large');
    expect(await refusal({ body: Buffer.from('x'), headers: { 'content-encoding': 'br' } })).toBe('malformed');
    expect((await raw({ body: gzipSync('{"items":[]}'), headers: { 'content-encoding': 'gzip' } })).status).toBe(200);
  });

  test('is JSON that two parsers could read differently', async () => {
    const texts = ['{"items":[],"items":[]}', '{"items":["\\ud800"]}', '[', '', '{"items":[],"more":1}'];
    texts.push(`{"items":[${'['.repeat(17)}${']'.repeat(17)}]}`);
    for (const text of texts) expect(await refusal({ body: Buffer.from(text) })).toBe('malformed');
  });

  test('is more than two pushes at once, and more than its rate', async () => {
    const busy = await site.admit(new PeerSite(room.id));
    const slow = () => `SELECT pg_sleep(0.5) FROM feed WHERE site = '${busy.peer.id}' FOR UPDATE`;
    const held = site.database.transaction((transaction) => transaction.query(slow()));
    const items = busy.peer.feed(1).map(({ wire }) => wire);
    const answers = await Promise.all(Array.from({ length: 3 }, () => busy.push(room.id, items)));
    await held;
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(2);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(1);
    const eager = new PeerSite(room.id);
    const toEager = await site.admit(eager);
    const many = eager.feed(256).map(({ wire }) => wire);
    for (let turn = 0; turn < 3; turn += 1) await toEager.push(room.id, many);
    const { status, json, headers } = await toEager.push(room.id, []);
    expect([status, federationProblemSchema.parse(json).code]).toEqual([429, 'rate_limited']);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    seen.add('rate_limited');
    await site.database.query('UPDATE peer SET is_trusted = true WHERE site = $1', [eager.id]);
    await eventually(async () => expect((await toEager.push(room.id, [])).status).toBe(200));
  });

  test('is a feed behind its end, when it has one', async () => {
    const ann = new PeerSite(room.id);
    const toAnn = await site.admit(ann);
    const [first, second] = ann.feed(2);
    await toAnn.push(room.id, [first!.wire]);
    const behind = federationPaths.feed(room.id, ann.id, ann.epoch, { from: 2, limit: 5 });
    expect((await client.get(behind)).json).toEqual({ items: [], n: 1 });
    const after = { epoch: ann.epoch, n: 1, hash: first!.hash };
    await toAnn.push(room.id, [], [ann.bundle([], [ann.record(), ann.record({ epoch: 'e2', ordinal: 1, after })])]);
    expect(await signedRefusal(client.get(behind))).toBe('epoch_closed');
    const other = ann.write(undefined, 'another');
    const pair = { items: [first!.wire, other.wire] };
    expect((await client.post(federationPaths.evidence(room.id), pair)).status).toBe(204);
    expect(await signedRefusal(client.get(behind))).toBe('equivocation');
    expect(second).toBeDefined();
    const holed = new PeerSite(room.id);
    const toHoled = await site.admit(holed);
    await toHoled.push(room.id, [holed.write(undefined, 'x', { subject: 'dm.a' }).wire]);
    const pruned = federationPaths.feed(room.id, holed.id, holed.epoch, { from: 1, limit: 5 });
    expect(await signedRefusal(client.get(pruned))).toBe('feed_pruned');
  });
});

test('a body that stops coming holds nobody up', async () => {
  const headers = peer.signer.sign({
    method: 'POST',
    url: federationPaths.events(room.id),
    body: Buffer.alloc(10),
    destination: site.identity.siteId,
  });
  const { hostname, port } = new URL(site.url);
  const socket = connect(Number(port), hostname);
  const lines = Object.entries({ host: 'x', 'content-length': '10', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  socket.write(`POST ${federationPaths.events(room.id)} HTTP/1.1\r\n${lines.join('')}\r\n{`);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect((await client.push(room.id, [])).status).toBe(200);
  socket.destroy();
});

test('without its database the site says so, and asks to come back', async () => {
  await site.infrastructure.postgres.kill();
  try {
    const code = await refusal({});
    expect(code).toBe('unavailable');
  } finally {
    await site.infrastructure.postgres.start();
  }
  await eventually(async () => expect((await raw()).status).toBe(200), { timeoutMs: 15_000 });
}, 30_000);

test('every code of the table was seen, and each is in the audit, once a second for each peer', async () => {
  expect([...seen].toSorted()).toEqual(federationErrorCodes.toSorted());
  const reported = federationErrorCodes.filter((code) => code !== 'unavailable').map((code) => `federation.${code}`);
  await eventually(() => {
    const actions = new Set(site.audit.decisions.map(({ action }) => action));
    expect(reported.filter((action) => !actions.has(action))).toEqual([]);
  });
  const stranger = new PeerSite(room.id).signer;
  const before = site.audited('federation.sig_invalid').length;
  await Promise.all(Array.from({ length: 100 }, () => refusal({ by: stranger })));
  await eventually(() => {
    const counts = site
      .audited('federation.sig_invalid')
      .slice(before)
      .map(({ detail }) => Number(detail!['count']));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(100);
    expect(counts.length).toBeLessThanOrEqual(3);
  });
  const metrics = await (await fetch(`${site.url}/metrics`)).text();
  expect(metrics).toMatch(/^boardwire_fed_sig_failures_total\{reason="sig_invalid"\} 10\d$/m);
});
