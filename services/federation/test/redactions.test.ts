import { DecisionOutbox } from '@boardwire/database';
import type { WireItem } from '@boardwire/contracts';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Ingest, type ItemOutcome } from '../src/ingest/ingest.ts';
import type { Room } from '../src/rooms/room-store.ts';
import { FeedsFixture, logger } from './feeds-fixture.ts';
import { keyringOf, RemoteSite, type Written } from './remote-site.ts';
import { verifyFeed } from './verify-feed.ts';

let site: FeedsFixture;
let room: Room;
let remote: RemoteSite;
let admin: RemoteSite;
let ingest: Ingest;
let decisions: DecisionOutbox;

beforeAll(async () => {
  site = await FeedsFixture.start();
});
afterAll(() => site.stop());
beforeEach(async () => {
  await site.clear();
  room = await site.rooms.create('events', { alias: 'test-chat', subjects: ['room.>'] });
  [remote, admin] = [new RemoteSite(room.id), new RemoteSite(room.id)];
  const genesis = JSON.parse(Buffer.from(room.envelope.payload, 'base64url').toString()) as object;
  const payload = Buffer.from(JSON.stringify({ ...genesis, admins: [admin.id] })).toString('base64url');
  await site.database.query('UPDATE room SET envelope = $1', [JSON.stringify({ ...room.envelope, payload })]);
  for (const other of [remote, admin]) await site.epochs.admit(room.id, other.record(), other.root);
  const { database, growth, metrics, identity } = site;
  decisions = new DecisionOutbox(database);
  await decisions.removeThrough(1e9);
  const parts = { database, growth, metrics, logger, decisions, keyring: keyringOf(remote, admin) };
  ingest = new Ingest({ ...parts, siteId: identity.siteId, onAccepted: () => undefined });
});

const take = (items: readonly (Written | WireItem)[], carrier: string): Promise<ItemOutcome[]> =>
  ingest.take(
    room.id,
    items.map((item) => ('wire' in item ? item.wire : item)),
    { carrier },
  );
const page = (from = 1) => site.reader.page(room.id, remote.id, remote.epoch, { from, limit: 100 });
const stripped = ({ wire }: Written): WireItem => ({ ...wire, salt: null, data: null });

test('its origin’s redaction empties an item, whose header still proves itself, and it is passed on with the proof', async () => {
  const items = remote.feed(3);
  const redaction = remote.redact(items[2], items[1]!);
  expect(await take([...items, redaction], remote.id)).toMatchObject(
    [1, 2, 3, 4].map((oseq) => ({ outcome: 'accepted', oseq })),
  );
  const passed = await page();
  verifyFeed(passed, remote.event.publicKey);
  const { h, sigs } = redaction.wire;
  expect(passed.map(({ data }) => data === null)).toEqual([false, true, false, false]);
  expect(passed[1]).toMatchObject({ h: items[1]!.wire.h, salt: null, redaction: { h, sigs } });
  const stored = await site.database.query<{ text: string }>('SELECT f::text AS text FROM feed_item f WHERE oseq = 2');
  expect(stored[0]!.text).not.toContain(Buffer.from(items[1]!.wire.data!, 'base64url').toString('hex'));
});

test('whoever carries it, an item without data is taken with a redaction of it, and not with one of something else', async () => {
  const items = remote.feed(4);
  const [of1, of2] = [items[0]!, items[1]!].map((item) => admin.redact(undefined, item)) as [Written, Written];
  const unrightful = remote.redact(undefined, items[0]!, undefined, { room: `br1${'a'.repeat(52)}` });
  const foreign = new RemoteSite(room.id);
  const refused = { outcome: 'unverifiable', reason: 'data_withheld' };
  const proofs: (Written | undefined)[] = [undefined, of2, unrightful, foreign.redact(undefined, items[0]!)];
  for (const proof of proofs) {
    const redaction = proof === undefined ? {} : { redaction: { h: proof.wire.h, sigs: proof.wire.sigs } };
    expect(await take([{ ...stripped(items[0]!), ...redaction }], admin.id)).toEqual([refused]);
  }
  const badSignature = { h: of1.wire.h, sigs: of2.wire.sigs };
  expect(await take([{ ...stripped(items[0]!), redaction: badSignature }], admin.id)).toEqual([refused]);
  const good = { h: of1.wire.h, sigs: of1.wire.sigs };
  expect(await take([{ ...stripped(items[0]!), redaction: good }], admin.id)).toEqual([
    { outcome: 'accepted', oseq: 1 },
  ]);
  expect((await page())[0]!.redaction).toEqual(good);
});

test('a redaction that came first empties what comes behind it', async () => {
  const items = remote.feed(2);
  await take([admin.redact(undefined, items[1]!)], admin.id);
  expect(await take(items, remote.id)).toEqual([1, 2].map((oseq) => ({ outcome: 'accepted', oseq })));
  expect((await page()).map(({ data }) => data === null)).toEqual([false, true]);
});

test('who may not redact is refused, its feed goes on, and the signed header stands in the audit', async () => {
  const [theirs] = admin.feed(1);
  const redaction = remote.redact(undefined, theirs!);
  const after = remote.write(redaction, 'after');
  await take([theirs!], admin.id);
  expect(await take([redaction, after], remote.id)).toEqual([
    { outcome: 'refused', reason: 'redaction', oseq: 1 },
    { outcome: 'accepted', oseq: 2 },
  ]);
  const [kept] = await site.reader.page(room.id, admin.id, admin.epoch, { from: 1, limit: 1 });
  expect(kept!.data).toBe(theirs!.wire.data);
  expect(await decisions.next(10)).toMatchObject([
    {
      action: 'federation.redaction',
      outcome: 'refused',
      actor: remote.id,
      board: 'events',
      detail: { room: room.id, oseq: 1, header: redaction.wire.h, sigs: redaction.wire.sigs },
    },
  ]);
});

test('a redaction says one thing, and none takes back another', async () => {
  const items = remote.feed(1);
  const outcomes: ItemOutcome[] = [];
  let last = items[0]!;
  await take(items, remote.id);
  const odd = [
    (before: Written) => remote.redact(before, last, { origin: remote.id, source: 'x', id: 'y' }),
    (before: Written) => remote.redact(before, last, undefined, { type: 'chat.post' }),
    (before: Written) => remote.redact(before, last, undefined, { source: '/users/1' }),
    (before: Written) => remote.write(before, 'made up', { source: '/redactions' }),
    (before: Written) => remote.redact(before, { header: { ...last.header, source: '/redactions' } }),
  ];
  for (const make of odd) {
    last = make(last);
    outcomes.push(...(await take([last], remote.id)));
  }
  expect(outcomes.map((outcome) => 'reason' in outcome && outcome.reason)).toEqual(odd.map(() => 'redaction'));
  const honest = remote.redact(last, items[0]!);
  // Its own site can't withhold what it says: readers elsewhere are told it.
  expect(await take([stripped(honest)], remote.id)).toEqual([{ outcome: 'unverifiable', reason: 'data_withheld' }]);
  expect(await take([honest], remote.id)).toMatchObject([{ outcome: 'accepted' }]);
});

test('what its origin has emptied without a word is not passed on as if it were proven', async () => {
  const items = remote.feed(3);
  await take([items[0]!, stripped(items[1]!), items[2]!], remote.id);
  expect(await page()).toHaveLength(1);
  expect(await page(2)).toEqual([]);
  expect(await page(3)).toHaveLength(1);
  await take([admin.redact(undefined, items[1]!)], admin.id);
  expect(await page()).toHaveLength(3);
});
