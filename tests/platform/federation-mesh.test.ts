import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { StoredEvent } from '@boardwire/contracts';
import { openDatabase } from '@boardwire/database';
import { createLogger } from '@boardwire/service-kit';
import { eventually, seededRandom } from '@boardwire/test-kit';
import { allLive, invite, roomsOf, share, siteIdOf, startFederatedSite, trustAll } from '../support/federation.ts';
import { say, signInAsGuest, type Person } from '../support/person.ts';
import { StreamRecorder } from '../support/stream-recorder.ts';
import type { TestSite } from '../support/test-site.ts';
import { WatchedDoor, type Crossing } from '../support/watched-door.ts';

const isLong = process.env['BOARDWIRE_TEST_TIER'] === 'long';
const names = isLong ? ['A', 'B', 'C', 'D', 'E'] : ['A', 'B', 'C'];
const rounds = isLong ? 12 : 3;

interface Place {
  id: string;
  site: TestSite;
  /** The way that others dial it by. */
  door: WatchedDoor;
  person: Person;
  recorder: StreamRecorder;
}

const places: Place[] = [];
let room: string;
const said = new Map<string, string[]>();

async function startPlace(name: string): Promise<Place> {
  const door = await WatchedDoor.open();
  const site = await startFederatedSite(name, { env: { FEDERATION_ENDPOINTS: door.url } });
  const id = await siteIdOf(site);
  door.leadTo({ site: id, port: Number(new URL(site.url).port) });
  const person = await signInAsGuest(site.url, 'pat');
  const stream = `${site.url}/v1/boards/events/stream?subject=AxonChat.>`;
  const recorder = new StreamRecorder(stream, { token: person.token });
  await recorder.until((it) => it.named('caught_up').length === 1);
  return { id, site, door, person, recorder };
}

beforeAll(async () => {
  for (const name of names) {
    // oxlint-disable-next-line no-await-in-loop -- one machine
    places.push(await startPlace(name));
  }
  const [host, ...guests] = places.map(({ site }) => site);
  room = await share(host!);
  for (const guest of guests) {
    // oxlint-disable-next-line no-await-in-loop
    await invite(host!, guest, room);
  }
  await allLive(host!, ...guests);
  await trustAll(host!, ...guests);
}, 180_000);
afterAll(async () => {
  for (const { recorder } of places) recorder.close();
  await Promise.all(places.map(({ site }) => site.stop()));
  await Promise.all(places.map(({ door }) => door.close()));
}, 60_000);

async function speak({ id, site, person }: Place, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    // oxlint-disable-next-line no-await-in-loop
    const { body } = await say(site.url, person, `from ${id.slice(0, 8)} ${n}`);
    said.set(id, [...(said.get(id) ?? []), body.id]);
  }
}

/** Everybody has seen everything once, each site's in its order. */
async function allHaveAll(): Promise<void> {
  const total = [...said.values()].flat().length;
  for (const { recorder } of places) {
    // oxlint-disable-next-line no-await-in-loop
    await recorder.until((it) => it.events.length >= total, isLong ? 60_000 : 20_000, `${total} events`);
    const events = recorder.events.map(({ data }) => JSON.parse(data!) as StoredEvent);
    for (const [id, ids] of said)
      expect(events.filter(({ origin }) => origin === id).map((one) => one.id)).toEqual(ids);
    expect(events.length).toBe(total);
  }
}

/** Each site has one stream open at each other one, for that one's own feed alone: nobody is anybody's carrier. */
function isFullMesh(): void {
  for (const { id, door } of places) {
    const streams = [...door.streams].toSorted((one, other) => (one.by < other.by ? -1 : 1));
    const others = places.map((place) => place.id).filter((other) => other !== id);
    expect(streams).toEqual(others.toSorted().map((by) => ({ by, feeds: [id] })));
  }
}

/** A link is two sites: what crosses it one way and comes back by the other has crossed it twice. */
const linkOf = ({ from, to }: Crossing) => [from, to].toSorted().join(' and ');

/**
 * What crossed the same link more than once, and by which calls. A stream that stands still for most of a second is asked
 * past, and then brings the same itself: where other suites compute as well, that is the machine's doing.
 */
function repeatedIn(crossings: readonly Crossing[]): string[] {
  const calls = new Map<string, string[]>();
  for (const crossing of crossings) {
    const what = `${crossing.id} between ${linkOf(crossing)}`;
    calls.set(what, [...(calls.get(what) ?? []), `${crossing.call} from ${crossing.from}`]);
  }
  return [...calls].filter(([, all]) => all.length > 1).map(([what, all]) => `${what}: ${all.join(', ')}`);
}

test(
  isLong
    ? 'a full mesh in which all speak at once carries each event over each link at most once'
    : 'a full mesh in which all speak at once carries each event to each site, and nothing past the doors',
  async () => {
    const random = seededRandom();
    await eventually(isFullMesh, { timeoutMs: 20_000 });
    // In rounds, so that nobody falls behind for seconds: then a link is broken off and mended, which is another matter.
    for (let round = 0; round < rounds; round += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await Promise.all(places.map((place) => speak(place, random.integer(2, 8))));
      // oxlint-disable-next-line no-await-in-loop
      await allHaveAll();
    }
    const events = new Set([...said.values()].flat());
    const crossings = places.flatMap(({ door }) => door.crossings).filter(({ id }) => events.has(id));
    const arrivals = events.size * (places.length - 1);
    process.stdout.write(
      `${events.size} events to ${places.length} sites: ${arrivals} arrivals, ${crossings.length} crossings of links\n`,
    );
    const repeated = repeatedIn(crossings);
    if (isLong) expect({ count: repeated.length, some: repeated.slice(0, 5) }).toEqual({ count: 0, some: [] });
    // Nothing came by any other way, and nothing that came was not seen.
    expect(new Set(crossings.map(({ id, to }) => `${id} ${to}`)).size).toBe(arrivals);
    expect(places.flatMap(({ door }) => door.unread)).toEqual([]);
  },
  isLong ? 240_000 : 60_000,
);

test('what a site withholds from one member comes from another', async () => {
  const [a, b, c] = places as [Place, Place, Place];
  await allHaveAll();
  const federation = b.site.site.services['federation']!;
  await federation.stop();
  await speak(a, 9);
  const has = (place: Place, n: number) =>
    eventually(
      async () => {
        const feeds = (await roomsOf(place.site)).find((one) => one.room === room)!.feeds;
        expect(feeds.find(({ site }) => site === a.id)?.n).toBe(n);
      },
      { timeoutMs: 10_000 },
    );
  const total = said.get(a.id)!.length;
  await has(c, total);
  const { url } = a.site.infrastructure.postgres;
  const logger = createLogger({ service: 'test', level: 'silent' });
  const database = await openDatabase({ url, schema: 'federation', migrations: [], logger });
  await database.query('DELETE FROM feed_item WHERE room = $1 AND site = $2 AND oseq = $3', [room, a.id, total - 4]);
  await database.close();
  const from = Date.now();
  await federation.start();
  await has(b, total);
  process.stdout.write(`a withheld event was repaired ${Date.now() - from} ms after the start of the service\n`);
  await speak(a, 3);
  await allHaveAll();
}, 60_000);
