import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { StoredEvent } from '@boardwire/contracts';
import { openDatabase } from '@boardwire/database';
import { createLogger } from '@boardwire/service-kit';
import { invite, share, siteIdOf, startFederatedSite, trustAll } from '../support/federation.ts';
import { say, signInAsGuest, type Person } from '../support/person.ts';
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

/** The site gives its hop key up, and makes a new one when it starts. */
async function rotateHopKey({ infrastructure, site: { services } }: TestSite): Promise<void> {
  const logger = createLogger({ service: 'test', level: 'silent' });
  const { url } = infrastructure.postgres;
  const database = await openDatabase({ url, schema: 'federation', migrations: [], logger });
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
