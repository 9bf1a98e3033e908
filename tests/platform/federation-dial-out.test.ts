import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { StoredEvent } from '@boardwire/contracts';
import { openDatabase, type Database } from '@boardwire/database';
import { createLogger } from '@boardwire/service-kit';
import { eventually } from '@boardwire/test-kit';
import { invite, share, siteIdOf, startFederatedSite, trustAll } from '../support/federation.ts';
import { operate } from '../support/operator.ts';
import { call, say, signInAsGuest, type Person } from '../support/person.ts';
import { StreamRecorder } from '../support/stream-recorder.ts';
import type { TestSite } from '../support/test-site.ts';

/** Can be dialled by everybody; the others by nobody. */
let hub: TestSite;
let one: TestSite;
let other: TestSite;

beforeAll(async () => {
  hub = await startFederatedSite('Hub');
  one = await startFederatedSite('One', { env: { FEDERATION_ENDPOINTS: 'none' } });
  other = await startFederatedSite('Other', { env: { FEDERATION_ENDPOINTS: 'none' } });
  const room = await share(hub);
  await invite(hub, one, room);
  await invite(hub, other, room);
  await trustAll(hub);
}, 180_000);
afterAll(() => Promise.all([hub?.stop(), one?.stop(), other?.stop()]), 60_000);

async function listen(site: TestSite, { token }: Person): Promise<StreamRecorder> {
  const recorder = new StreamRecorder(`${site.url}/v1/boards/events/stream?subject=AxonChat.>`, { token });
  await recorder.until((it) => it.named('caught_up').length === 1);
  return recorder;
}

test('two sites that nobody can dial meet through a member that both can', async () => {
  const people = await Promise.all([hub, one, other].map((site) => signInAsGuest(site.url, 'pat')));
  const [hal, uma, ola] = people as [Person, Person, Person];
  const recorders = await Promise.all([listen(hub, hal), listen(one, uma), listen(other, ola)]);
  const said: string[] = [];
  for (let n = 0; n < 12; n += 1) {
    const [site, who] = (
      [
        [hub, hal],
        [one, uma],
        [other, ola],
      ] as const
    )[n % 3]!;
    // oxlint-disable-next-line no-await-in-loop
    said.push((await say(site.url, who, `hello ${n}`)).body.id);
  }
  for (const recorder of recorders) {
    // oxlint-disable-next-line no-await-in-loop
    await recorder.until((it) => it.events.length >= said.length, 20_000, `${said.length} events`);
    const events = recorder.events.map(({ data }) => JSON.parse(data!) as StoredEvent);
    expect(events.map(({ id }) => id).toSorted()).toEqual(said.toSorted());
    recorder.close();
  }
  const origins = new Set(recorders[1]!.events.map(({ data }) => (JSON.parse(data!) as StoredEvent).origin));
  expect(origins).toEqual(new Set([await siteIdOf(hub), await siteIdOf(one), await siteIdOf(other)]));
}, 60_000);

function federationDatabase({ infrastructure }: TestSite): Promise<Database> {
  const logger = createLogger({ service: 'test', level: 'silent' });
  return openDatabase({ url: infrastructure.postgres.url, schema: 'federation', migrations: [], logger });
}

/** The site gives its hop key up, and makes a new one when it starts. */
async function rotateHopKey(which: TestSite): Promise<void> {
  const { services } = which.site;
  const database = await federationDatabase(which);
  await services['federation']!.stop();
  await database.query(`UPDATE site_key SET retired_at = now() WHERE use = 'hop' AND retired_at IS NULL`);
  await database.close();
  await services['federation']!.start();
}

test.each([
  ['a site that nobody can dial', 'ida', () => one],
  ['the site that all dial', 'ivo', () => hub],
])(
  'a new hop key of %s is no obstacle',
  async (_which, name, rotated) => {
    const [uma, hal] = await Promise.all([one, hub].map((site) => signInAsGuest(site.url, name)));
    const [atOne, atHub] = await Promise.all([listen(one, uma!), listen(hub, hal!)]);
    await rotateHopKey(rotated());
    const said = [(await say(one.url, uma!, 'from one')).body.id, (await say(hub.url, hal!, 'from the hub')).body.id];
    for (const recorder of [atOne, atHub]) {
      // oxlint-disable-next-line no-await-in-loop
      await recorder.until((it) => said.every((id) => it.events.some(({ data }) => data!.includes(id))), 20_000);
      recorder.close();
    }
  },
  60_000,
);

/** What the command waits for is over. */
async function anHourLater(databases: readonly Database[]): Promise<void> {
  const hour = `interval '1 hour'`;
  for (const database of databases) {
    // oxlint-disable-next-line no-await-in-loop
    await database.query(
      `UPDATE next_site_key SET created_at = created_at - ${hour}, signs_from = signs_from - ${hour}`,
    );
    // oxlint-disable-next-line no-await-in-loop
    await database.query(`UPDATE site_key SET named_until = named_until - ${hour}`);
    // oxlint-disable-next-line no-await-in-loop
    await database.query(`UPDATE chat.next_signing_key SET created_at = created_at - ${hour}, signs_from = now()`);
  }
}

/** Everybody holds the newest document of everybody, and each names so many hop keys. */
function allKnow(databases: readonly Database[], hopKeys: number): Promise<void> {
  return eventually(
    async () => {
      const newest = await Promise.all(
        databases.map((database) =>
          database.query<{ envelope: string }>('SELECT envelope FROM site_document ORDER BY ver DESC LIMIT 1'),
        ),
      );
      const own = newest.map(([row]) => payloadOf(row!.envelope));
      for (const text of own) expect(text.split('"use":"hop"').length - 1).toBe(hopKeys);
      for (const [at, database] of databases.entries()) {
        // oxlint-disable-next-line no-await-in-loop
        const rows = await database.query<{ envelope: string }>('SELECT envelope FROM foreign_site');
        const others = own.filter((_text, of) => of !== at);
        expect(rows.map(({ envelope }) => payloadOf(envelope)).toSorted()).toEqual(others.toSorted());
      }
    },
    { timeoutMs: 30_000 },
  );
}

const payloadOf = (envelope: string) =>
  Buffer.from((JSON.parse(envelope) as { payload: string }).payload, 'base64url').toString();

const keyOf = ({ token }: Person) => Buffer.from(token.split('.')[0]!, 'base64url').toString();

/** Requests that proved nothing, and items. */
async function refusalsAt(site: TestSite): Promise<string[]> {
  const { text } = await call(`${site.internalUrl('federation')}/metrics`);
  return text
    .split('\n')
    .filter((line) => line.startsWith('boardwire_fed_sig_failures_total{') || line.includes('outcome="unverifiable"'));
}

test('new keys of all three, made while all of them speak, cost no event and no refusal', async () => {
  const sites = [hub, one, other];
  const people = await Promise.all(sites.map((site) => signInAsGuest(site.url, 'kim')));
  const recorders = await Promise.all(sites.map((site, at) => listen(site, people[at]!)));
  const databases = await Promise.all(sites.map(federationDatabase));
  const before = await Promise.all(sites.map(refusalsAt));
  const said: string[] = [];
  const statuses = new Set<number>();
  const done = new AbortController();
  const speaking = sites.map(async (site, at) => {
    while (!done.signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop
      const { status, body } = await say(site.url, people[at]!, `${what} ${said.length}`);
      statuses.add(status);
      said.push(body.id);
      // oxlint-disable-next-line no-await-in-loop
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  });
  try {
    for (const { site } of sites) {
      const uses = ['hop', 'event', 'token'].flatMap((use) => ['--use', use]);
      const args = ['rotate-keys', '--data', site.dataDir, ...uses, '--sign-after', '3000'];
      // oxlint-disable-next-line no-await-in-loop
      expect(await operate(args)).toMatchObject({ code: 0, err: '' });
    }
    await allKnow(databases, 2);
    await anHourLater(databases);
    for (const database of databases) {
      // oxlint-disable-next-line no-await-in-loop
      await eventually(() => signedByBoth(database), { timeoutMs: 30_000 });
    }
    await anHourLater(databases);
    await allKnow(databases, 1);
    for (const [at, site] of sites.entries()) {
      // oxlint-disable-next-line no-await-in-loop
      await eventually(
        async () => {
          const late = await signInAsGuest(site.url, `late ${said.length}`);
          expect(keyOf(late)).not.toBe(keyOf(people[at]!));
          expect((await call(`${site.url}/v1/auth/me`, { token: late.token })).status).toBe(200);
        },
        { everyMs: 400 },
      );
    }
  } finally {
    done.abort();
    await Promise.all(speaking);
  }
  // With tokens of the former key as well.
  expect([...statuses]).toEqual([201]);
  for (const [at, recorder] of recorders.entries()) {
    // oxlint-disable-next-line no-await-in-loop
    await recorder.until((it) => idsIn(it).length >= said.length, 20_000, `${said.length} events`);
    expect(idsIn(recorder).toSorted()).toEqual(said.toSorted());
    recorder.close();
    // oxlint-disable-next-line no-await-in-loop
    expect(await refusalsAt(sites[at]!)).toEqual(before[at]);
  }
  await Promise.all(databases.map((database) => database.close()));
}, 150_000);

const what = 'while keys change';
/** What was said before may still come to one of them. */
const idsIn = ({ events }: StreamRecorder) =>
  events.filter(({ data }) => data!.includes(what)).map(({ data }) => (JSON.parse(data!) as StoredEvent).id);

/** Of each of the three feeds a site has taken events with the former key and with the new one. */
async function signedByBoth(database: Database): Promise<void> {
  const rows = await database.query<{ keys: number }>(
    `SELECT count(DISTINCT sigs -> 0 ->> 'kid') AS keys FROM feed_item GROUP BY site`,
  );
  expect(rows.map(({ keys }) => keys)).toEqual([2, 2, 2]);
}
