import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { boardsStream, boardSubject, redactedType, type StoredEvent } from '@boardwire/contracts';
import { connectBus, type Bus } from '@boardwire/messaging';
import { eventually } from '@boardwire/test-kit';
import pg from 'pg';
import { allLive, invite, roomsOf, share, siteIdOf, startFederatedSite } from '../support/federation.ts';
import { call, say, signInAsGuest, type Person } from '../support/person.ts';
import { StreamRecorder } from '../support/stream-recorder.ts';
import type { TestSite } from '../support/test-site.ts';

interface Place {
  id: string;
  site: TestSite;
  admin: Person;
  person: Person;
  recorder: StreamRecorder;
  database: pg.Client;
  bus: Bus;
}

type Shown = StoredEvent & { cursor: string };

let places: Place[] = [];
let room: string;
const subject = 'AxonChat.lobby';
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

beforeAll(async () => {
  const sites = await Promise.all(['A', 'B', 'C'].map((name) => startFederatedSite(name)));
  places = await Promise.all(sites.map(placeOf));
  const [a, b, c] = sites as [TestSite, TestSite, TestSite];
  room = await share(a);
  await invite(a, b, room);
  await invite(a, c, room);
  await allLive(a, b, c);
}, 120_000);

afterAll(async () => {
  for (const { recorder } of places) recorder.close();
  await Promise.all(places.flatMap(({ database, bus }) => [database.end(), bus.close()]));
  await Promise.all(places.map(({ site }) => site.stop()));
}, 60_000);

async function placeOf(site: TestSite): Promise<Place> {
  const { nats, postgres } = site.infrastructure;
  const token = nats.token === undefined ? {} : { token: nats.token };
  const bus = await connectBus({ url: nats.url, ...token, name: 'test', logger: quiet });
  const database = new pg.Client({ connectionString: postgres.url });
  await database.connect();
  const person = await signInAsGuest(site.url, 'pat');
  const url = `${site.url}/v1/boards/events/stream?subject=${subject}`;
  const recorder = new StreamRecorder(url, { token: person.token });
  return { id: await siteIdOf(site), site, admin: await site.admin(), person, recorder, database, bus };
}

const seenAt = ({ recorder }: Place) =>
  recorder.events.map(({ id, data }) => ({ ...(JSON.parse(data!) as StoredEvent), cursor: id! }));

/** The event with this text, as the place's readers got it. */
async function shown(place: Place, text: string): Promise<Shown> {
  const find = () => seenAt(place).find(({ data }) => (data as { text?: string } | undefined)?.text === text);
  await place.recorder.until(() => find() !== undefined, 10_000, text);
  return find()!;
}

async function tell(place: Place, text: string, on: readonly Place[] = places): Promise<Shown> {
  await say(place.site.url, place.person, text);
  await Promise.all(on.map((one) => shown(one, text)));
  return shown(place, text);
}

/** As the place knows the event. */
async function remove(place: Place, text: string, by: Person): Promise<void> {
  const { cursor } = await shown(place, text);
  const url = `${place.site.url}/v1/boards/events/events/${cursor}`;
  expect((await call(url, { method: 'DELETE', token: by.token })).status).toBe(204);
}

const namesOf = ({ origin, source, id }: Shown) => ({ origin, source, id });

/** Readers of the place were told that this event is gone, by that site. */
async function toldGone(place: Place, event: Shown, by: Place): Promise<void> {
  const isIt = ({ type, data }: Shown) =>
    type === redactedType && JSON.stringify(data) === JSON.stringify(namesOf(event));
  await place.recorder.until(() => seenAt(place).some(isIt), 10_000, 'a redaction');
  const told = seenAt(place).filter(isIt);
  expect(told.map(({ origin, subject: on }) => [origin, on])).toEqual([[by.id, subject]]);
}

/** Neither its record, its feeds, its audit, its mirror, nor what its readers may ask for holds the text any more. */
async function isErased({ site, person, database, bus }: Place, text: string): Promise<void> {
  const tables = ['chat.event', 'federation.feed_item', 'audit.detail'];
  const held = tables.map(
    (table) => `SELECT '${table}' AS held FROM ${table} t WHERE t::text LIKE $1 OR t::text LIKE $2`,
  );
  const hex = `%${Buffer.from(text).toString('hex')}%`;
  await eventually(
    async () => {
      expect((await database.query(held.join(' UNION ALL '), [`%${text}%`, hex])).rows).toEqual([]);
      const history = await call(`${site.url}/v1/boards/events/events?limit=500`, { token: person.token });
      expect(history.text).not.toContain(text);
      const newest = await bus.streams.lastBySubject(boardsStream.name, boardSubject('events', subject));
      expect(Buffer.from(newest?.data ?? []).toString()).not.toContain(text);
    },
    { timeoutMs: 10_000 },
  );
  // A gateway that holds it in memory hears of it by chat's control feed, a moment behind the record.
  await eventually(async () => {
    const replay = new StreamRecorder(`${site.url}/v1/boards/events/stream?after=start`, { token: person.token });
    await replay.until((it) => it.named('caught_up').length === 1).finally(() => replay.close());
    expect(replay.events.map(({ data }) => data).join('\n')).not.toContain(text);
  });
}

/** Every site has the same of every feed, headers and hashes, and what is redacted is so on all of them. */
async function allAgree(): Promise<void> {
  const feeds = `SELECT site, oseq, encode(hash, 'hex') AS hash, data IS NULL AS is_gone FROM federation.feed_item
    WHERE room = $1 ORDER BY site, oseq`;
  await eventually(
    async () => {
      const found = await Promise.all(places.map(({ database }) => database.query(feeds, [room])));
      for (const { rows } of found) expect(rows).toEqual(found[0]!.rows);
    },
    { timeoutMs: 10_000 },
  );
}

test('what its author removes is gone on every site, and every site’s readers are told', async () => {
  const [a, b, c] = places as [Place, Place, Place];
  const event = await tell(b, 'my-number-is-0178');
  await remove(b, 'my-number-is-0178', b.person);
  for (const place of [a, b, c]) {
    await toldGone(place, event, b);
    await isErased(place, 'my-number-is-0178');
  }
  await allAgree();
}, 30_000);

test('what the room’s own site removes is gone everywhere, also where it was said', async () => {
  const [a, b, c] = places as [Place, Place, Place];
  const event = await tell(c, 'an-insult');
  await remove(a, 'an-insult', a.admin);
  for (const place of [a, b, c]) {
    await toldGone(place, event, a);
    await isErased(place, 'an-insult');
  }
  await allAgree();
}, 30_000);

test('who is banned on a site is heard on the others, and goes unheard there until that is lifted', async () => {
  const [a, b, c] = places as [Place, Place, Place];
  const { author } = await tell(c, 'before-the-ban');
  const ban = async (banned: string[]) => {
    const json = { banned };
    const answer = await call(`${b.site.url}/v1/boards/events`, { method: 'PATCH', token: b.admin.token, json });
    expect(answer.status).toBe(200);
  };
  await ban([`${author}@${c.id}`]);
  await tell(c, 'while-banned', [a, c]);
  await tell(a, 'of-somebody-else');
  await allAgree();
  await ban([]);
  await tell(c, 'after-the-ban');
  expect(seenAt(b).map(({ data }) => (data as { text?: string } | undefined)?.text)).not.toContain('while-banned');
}, 30_000);

test('what another site removes is gone there alone', async () => {
  const [a, b, c] = places as [Place, Place, Place];
  const event = await tell(c, 'an-opinion');
  await remove(b, 'an-opinion', b.admin);
  await toldGone(b, event, b);
  await isErased(b, 'an-opinion');
  await tell(b, 'something-after-it');
  for (const place of [a, c]) {
    expect(seenAt(place).filter(({ type, data }) => type === redactedType && (data as Shown).id === event.id)).toEqual(
      [],
    );
    const history = await call(`${place.site.url}/v1/boards/events/events?limit=500`, { token: place.person.token });
    expect(history.text).toContain('an-opinion');
  }
}, 30_000);

test('a site that was away ends with the same, whether it had the event or not', async () => {
  const [a, b, c] = places as [Place, Place, Place];
  await tell(b, 'seen-before-it-left');
  const federation = c.site.site.services['federation']!;
  await federation.stop();
  const unseen = await tell(b, 'said-meanwhile', [a, b]);
  await remove(b, 'said-meanwhile', b.person);
  await remove(a, 'seen-before-it-left', a.admin);
  await toldGone(a, unseen, b);
  await isErased(a, 'said-meanwhile');
  // What was removed comes to it by others too: its origin is away.
  await b.site.site.services['federation']!.stop();
  await federation.start();
  const ofB = async (place: Place) =>
    (await roomsOf(place.site)).find((one) => one.room === room)!.feeds.find(({ site }) => site === b.id)!.n;
  await eventually(async () => expect(await ofB(c)).toBe(await ofB(a)), { timeoutMs: 15_000 });
  await b.site.site.services['federation']!.start();
  for (const place of places) {
    for (const text of ['said-meanwhile', 'seen-before-it-left']) await isErased(place, text);
  }
  await toldGone(c, unseen, b);
}, 60_000);
