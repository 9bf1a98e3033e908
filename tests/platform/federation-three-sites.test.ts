import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { StoredEvent } from '@boardwire/contracts';
import { openDatabase } from '@boardwire/database';
import { createLogger } from '@boardwire/service-kit';
import { eventually, seededRandom } from '@boardwire/test-kit';
import { allLive, invite, roomsOf, share, siteIdOf, startFederatedSite, trustAll } from '../support/federation.ts';
import { say, signInAsGuest, type Person } from '../support/person.ts';
import { StreamRecorder } from '../support/stream-recorder.ts';
import type { TestSite } from '../support/test-site.ts';

interface Place {
  id: string;
  site: TestSite;
  person: Person;
  recorder: StreamRecorder;
}

let places: Place[] = [];
let room: string;
const said = new Map<string, string[]>();

beforeAll(async () => {
  const sites: TestSite[] = [];
  for (const name of ['A', 'B', 'C']) {
    // oxlint-disable-next-line no-await-in-loop -- one machine
    sites.push(await startFederatedSite(name));
  }
  places = await Promise.all(
    sites.map(async (site) => {
      const person = await signInAsGuest(site.url, 'pat');
      const recorder = new StreamRecorder(`${site.url}/v1/boards/events/stream?subject=AxonChat.>`, {
        token: person.token,
      });
      return { id: await siteIdOf(site), site, person, recorder };
    }),
  );
  const [a, b, c] = sites as [TestSite, TestSite, TestSite];
  room = await share(a);
  await invite(a, b, room);
  await invite(a, c, room);
  await allLive(a, b, c);
  await trustAll(a, b, c);
}, 180_000);
afterAll(async () => {
  for (const { recorder } of places) recorder.close();
  await Promise.all(places.map(({ site }) => site.stop()));
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
    await recorder.until((it) => it.events.length >= total, 20_000, `${total} events`);
    const events = recorder.events.map(({ data }) => JSON.parse(data!) as StoredEvent);
    for (const [id, ids] of said)
      expect(events.filter(({ origin }) => origin === id).map((one) => one.id)).toEqual(ids);
    expect(events.length).toBe(total);
  }
}

test('three sites that know each other through one of them have the same, each event once', async () => {
  const random = seededRandom();
  await Promise.all(places.map((place) => speak(place, random.integer(10, 25))));
  await allHaveAll();
}, 60_000);

test('what a site withholds from one member comes from the other', async () => {
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
