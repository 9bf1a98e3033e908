import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { StoredEvent } from '@boardwire/contracts';
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
