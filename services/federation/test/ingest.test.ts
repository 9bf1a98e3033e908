import { createHash, randomBytes } from 'node:crypto';
import type { FeedHeader, WireItem } from '@boardwire/contracts';
import { canonicalBytes, generateSigningKey, importVerifyingKey } from '@boardwire/signing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Ingest, type ItemOutcome } from '../src/ingest/ingest.ts';
import type { Room } from '../src/rooms/room-store.ts';
import { FeedsFixture, logger } from './feeds-fixture.ts';
import { keyringOf, RemoteSite, type Written } from './remote-site.ts';

let site: FeedsFixture;
let room: Room;
let remote: RemoteSite;
let stranger: RemoteSite;
let ingest: Ingest;

beforeAll(async () => {
  site = await FeedsFixture.start();
});
afterAll(() => site.stop());
beforeEach(async () => {
  await site.clear();
  room = await site.rooms.create('events', { alias: 'test-chat', subjects: ['room.>', 'dm.>'] });
  remote = new RemoteSite(room.id);
  stranger = new RemoteSite(room.id);
  await site.epochs.admit(room.id, remote.record(), remote.root);
  const { database, growth, metrics, identity } = site;
  const keyring = keyringOf(remote);
  ingest = new Ingest({
    database,
    growth,
    metrics,
    logger,
    keyring,
    siteId: identity.siteId,
    onAccepted: () => undefined,
  });
});

const take = (items: readonly Written[], carrier = remote.id) =>
  ingest.take(
    room.id,
    items.map(({ wire }) => wire),
    { carrier },
  );
const one = async (item: Written, carrier?: string): Promise<ItemOutcome> => (await take([item], carrier))[0]!;
const position = async () => (await ingest.vector(room.id))[remote.id];
const changed = (item: Written, wire: Partial<WireItem>): Written => ({ ...item, wire: { ...item.wire, ...wire } });
const count = async (table: string) =>
  (await site.database.query<{ n: number }>(`SELECT count(*) AS n FROM ${table}`))[0]!.n;

/** Signed by the site itself, with bytes that aren't what an honest one would write. */
function oddBytes(item: Written, bytes: Buffer): Written {
  const [salt, data] = [item.wire.salt!, item.wire.data!].map((text) => Buffer.from(text, 'base64url')) as [
    Buffer,
    Buffer,
  ];
  return remote.sign(bytes, { header: item.header, salt, data });
}

test('a feed is accepted in its order, once, and handed over', async () => {
  const items = remote.feed(5);
  expect(await take(items)).toEqual([1, 2, 3, 4, 5].map((oseq) => ({ outcome: 'accepted', oseq })));
  expect(await take(items)).toEqual([1, 2, 3, 4, 5].map((oseq) => ({ outcome: 'duplicate', oseq })));
  expect(await position()).toEqual({ epoch: remote.epoch, n: 5, hash: items[4]!.hash });
  expect(await count('handover')).toBe(5);
  expect(await site.outcomes('in')).toMatchObject({ accepted: 5, duplicate: 5 });
});

test('what was accepted is relayed byte for byte, with this site among its carriers', async () => {
  const items = remote.feed(3);
  await take(items);
  const page = await site.reader.page(room.id, remote.id, remote.epoch, { from: 2, limit: 10 });
  expect(page).toEqual(items.slice(1).map(({ wire }) => ({ ...wire, via: [remote.id, site.identity.siteId] })));
});

test('behind a gap nothing is taken, and it says what is missing', async () => {
  const items = remote.feed(4);
  expect(await take([items[0]!, items[2]!, items[3]!])).toEqual([
    { outcome: 'accepted', oseq: 1 },
    { outcome: 'gap', expected: 2 },
    { outcome: 'gap', expected: 2 },
  ]);
  expect(await position()).toMatchObject({ n: 1 });
  expect((await take(items)).map(({ outcome }) => outcome)).toEqual(['duplicate', 'accepted', 'accepted', 'accepted']);
});

describe('unverifiable: nothing changes, and the rest of the batch is taken', () => {
  const other = generateSigningKey();
  const cases: [string, string, (item: Written) => Written][] = [
    ['another key signed', 'signature', ({ header }) => remote.sign(canonicalBytes(header), raw(header), other)],
    [
      'a bit of the signature',
      'signature',
      (item) => changed(item, { sigs: [{ kid: remote.kid, sig: flipped(item) }] }),
    ],
    [
      'a signature of another key id',
      'signature',
      (item) => changed(item, { sigs: [{ ...item.wire.sigs[0]!, kid: 'x' }] }),
    ],
    ['a byte of the header', 'signature', (item) => changed(item, { h: replaced(item, 'Ann', 'Eve') })],
    ['a stranger in its own name', 'unknown_key', () => stranger.write(undefined, 'x')],
    [
      'a stranger in this site’s name',
      'signature',
      () => stranger.write(undefined, 'x', { site: remote.id, kid: remote.kid }),
    ],
    ['a stranger’s key id', 'unknown_key', () => remote.write(undefined, 'x', { kid: stranger.kid })],
    ['another room', 'room', () => remote.write(undefined, 'x', { room: `br1${'a'.repeat(52)}` })],
    ['another prev', 'prev', () => remote.write(undefined, 'x', { prev: '1'.repeat(64) })],
    ['other data', 'datahash', (item) => changed(item, { data: Buffer.from('{"text":"y"}').toString('base64url') })],
    ['another salt', 'datahash', (item) => changed(item, { salt: randomBytes(16).toString('base64url') })],
    ['another size', 'datahash', () => remote.write(undefined, 'x', { dsize: 1 })],
    ['a short salt', 'malformed', (item) => changed(item, { salt: 'AAAA' })],
    ['data without salt', 'malformed', (item) => changed(item, { salt: null })],
    ['no header', 'malformed', (item) => changed(item, { h: 'e30' })],
    ['no base64url', 'malformed', (item) => changed(item, { h: '*' })],
    [
      'an unknown member of the item',
      'malformed',
      (item) => ({ ...item, wire: { ...item.wire, more: 1 } as WireItem }),
    ],
    [
      'an unknown member of the header',
      'malformed',
      () => remote.write(undefined, 'x', { more: 1 } as Partial<FeedHeader>),
    ],
    ['a repeated member', 'malformed', (item) => oddBytes(item, edited(item, '{"author"', '{"author":"0","author"'))],
    ['a repeated site', 'malformed', (item) => oddBytes(item, edited(item, '{', `{"site":"${stranger.id}",`))],
    ['a lone surrogate', 'malformed', (item) => oddBytes(item, edited(item, '"Ann"', '"\\ud800"'))],
    ['a blank', 'malformed', (item) => oddBytes(item, edited(item, '{', '{ '))],
    ['oseq 0', 'malformed', () => remote.write(undefined, 'x', { oseq: 0 })],
    ['a header of 4 KiB and more', 'too_large', () => remote.write(undefined, 'x', { id: 'x'.repeat(4_096) })],
    ['data of 64 KiB and more', 'too_large', (item) => changed(item, { data: 'A'.repeat(90_000) })],
  ];
  test.each(cases)('%s: %s', async (_, reason, spoil) => {
    const honest = remote.write(undefined, 'x');
    const answer = await take([spoil(honest), honest]);
    expect(answer).toEqual([
      { outcome: 'unverifiable', reason },
      { outcome: 'accepted', oseq: 1 },
    ]);
    expect(await count('feed_item')).toBe(1);
    expect(await count('feed_hole')).toBe(0);
  });

  test('data that a carrier left out; its origin is believed', async () => {
    const item = changed(remote.write(undefined, 'x'), { data: null, salt: null });
    expect(await one(item, stranger.id)).toEqual({ outcome: 'unverifiable', reason: 'data_withheld' });
    expect(await one(item)).toEqual({ outcome: 'accepted', oseq: 1 });
    expect(await count('handover')).toBe(0);
  });
});

describe('refused: the feed goes on over a recorded hole', () => {
  const cases: [string, string, Partial<FeedHeader>][] = [
    ['outside the filter', 'subject', { subject: 'Elsewhere.a' }],
    ['a direct message', 'subject', { subject: 'dm.a.b' }],
    ['private chat', 'subject', { subject: 'room.x.chat.private.y' }],
    ['a reserved attribute', 'attributes', { extensions: { origin: 'x' } }],
    ['an attribute twice', 'attributes', { extensions: { source: '/users/2' } }],
    ['a media type that is none', 'attributes', { datacontenttype: 'nothing' }],
    ['a schema that is no address', 'attributes', { dataschema: 'nowhere' }],
    ['data twice', 'attributes', { extensions: { data: 'x' } }],
    ['data that chat would write in other words', 'data_form', hashed('{"a": 1}')],
    ['data that is no JSON', 'data_form', hashed('{')],
  ];
  test.each(cases)('%s: %s', async (_, reason, more) => {
    const data = (more as { text?: string }).text;
    const { text: _text, ...header } = more as Partial<FeedHeader> & { text?: string };
    const first = remote.write(undefined, 'x', header);
    const refused =
      data === undefined ? first : changed(first, { data: encoded(data), salt: zeroSalt.toString('base64url') });
    const next = remote.write(refused, 'y');
    expect(await take([refused, next, refused])).toEqual([
      { outcome: 'refused', reason, oseq: 1 },
      { outcome: 'accepted', oseq: 2 },
      { outcome: 'duplicate', oseq: 1 },
    ]);
    expect(await site.database.query('SELECT oseq, reason FROM feed_hole')).toEqual([{ oseq: 1, reason }]);
    expect(await count('handover')).toBe(1);
  });
});

test('two headers for one place: both are kept, and the feed is frozen', async () => {
  const [first, second] = remote.feed(2);
  const forked = remote.write(undefined, 'other');
  expect(await take([first!, forked, second!])).toEqual([
    { outcome: 'accepted', oseq: 1 },
    { outcome: 'equivocation' },
    { outcome: 'frozen' },
  ]);
  expect(await one(second!)).toEqual({ outcome: 'frozen' });
  expect(await position()).toMatchObject({ n: 1 });
  const [evidence] = await site.database.query<{ kept_header: Buffer; other_header: Buffer; carrier: string }>(
    'SELECT * FROM evidence',
  );
  const hex = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  expect([hex(evidence!.kept_header), hex(evidence!.other_header)]).toEqual([first!.hash, forked.hash]);
  const { values } = await site.registry.registry.getSingleMetric('boardwire_fed_equivocations_total')!.get();
  expect(values[0]!.value).toBeGreaterThan(0);
});

test('another header for the place of a hole is an equivocation too', async () => {
  await one(remote.write(undefined, 'x', { subject: 'dm.a' }));
  expect(await one(remote.write(undefined, 'y'))).toEqual({ outcome: 'equivocation' });
});

test('an event that its site tells twice stays in the chain and is handed over once', async () => {
  const first = remote.write(undefined, 'x');
  const again = remote.write(first, 'x');
  const elsewhere = remote.write(again, 'x', { source: '/users/2' });
  expect((await take([first, again, elsewhere])).map(({ outcome }) => outcome)).toEqual([
    'accepted',
    'accepted',
    'accepted',
  ]);
  expect(await count('handover')).toBe(2);
  expect(await position()).toMatchObject({ n: 3 });
});

test('what came around, or from too far, is dropped', async () => {
  const item = remote.write(undefined, 'x');
  const via = [remote.id, site.identity.siteId];
  expect(await one(changed(item, { via }))).toEqual({ outcome: 'dropped', reason: 'looped' });
  const far = Array.from({ length: 9 }, () => stranger.id);
  expect(await one(changed(item, { via: far }))).toEqual({ outcome: 'dropped', reason: 'via_too_long' });
  expect(await one(changed(item, { via: far.slice(1) }))).toEqual({ outcome: 'accepted', oseq: 1 });
});

test('a feed that its site’s root key has not opened is unknown', async () => {
  expect(await one(remote.write(undefined, 'x', { epoch: 'e2' }))).toEqual({ outcome: 'unknown_feed' });
  const second = { epoch: 'e2', ordinal: 1 };
  await expect(site.epochs.admit(room.id, remote.record(second, remote.event), remote.root)).rejects.toThrow();
  await expect(site.epochs.admit(room.id, remote.record(second), stranger.root)).rejects.toThrow();
  await site.epochs.admit(room.id, remote.record(second), remote.root);
  await site.epochs.admit(room.id, remote.record(second), remote.root);
  await expect(
    site.epochs.admit(room.id, remote.record({ ...second, at: '2026-01-02T00:00:00Z' }), remote.root),
  ).rejects.toThrow();
  expect(await one(remote.write(undefined, 'x', { epoch: 'e2' }))).toEqual({ outcome: 'accepted', oseq: 1 });
  expect(await position()).toMatchObject({ epoch: 'e2', n: 1 });
});

test('a room is joined by its genesis, and by nothing else', async () => {
  const far = await site.rooms.create('forum', { alias: 'far', subjects: ['>'] });
  await site.clear();
  const rootKey = importVerifyingKey(site.identity.keys.root.key.publicKey);
  await expect(site.rooms.join('forum', far.envelope, stranger.root)).rejects.toMatchObject({ code: 'invalid' });
  await expect(site.rooms.join('site', far.envelope, rootKey)).rejects.toMatchObject({ code: 'forbidden' });
  expect((await site.rooms.join('forum', far.envelope, rootKey)).id).toBe(far.id);
  await expect(site.rooms.join('events', far.envelope, rootKey)).rejects.toMatchObject({ code: 'conflict' });
  await expect(ingest.take(`br1${'a'.repeat(52)}`, [], { carrier: remote.id })).rejects.toMatchObject({
    code: 'not_found',
  });
});

const zeroSalt = Buffer.alloc(16);
const encoded = (text: string) => Buffer.from(text).toString('base64url');
function hashed(text: string): Partial<FeedHeader> {
  const datahash = createHash('sha256').update(Buffer.alloc(16)).update(text).digest('hex');
  return { datahash, dsize: text.length, text } as Partial<FeedHeader>;
}
const raw = (header: FeedHeader) => ({ header, salt: zeroSalt, data: Buffer.from('{}') });
function flipped({ wire }: Written): string {
  const sig = Buffer.from(wire.sigs[0]!.sig, 'base64url');
  sig[5]! ^= 1;
  return sig.toString('base64url');
}
const edited = ({ wire }: Written, from: string, to: string) =>
  Buffer.from(Buffer.from(wire.h, 'base64url').toString().replace(from, to));
const replaced = (item: Written, from: string, to: string) => edited(item, from, to).toString('base64url');
