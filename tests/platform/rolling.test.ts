import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Fleet } from '../support/fleet.ts';
import { signInAsGuest, type Person } from '../support/person.ts';
import { restartFromOutside } from '../support/restart-from-outside.ts';
import { SteadyWriter } from '../support/steady-writer.ts';
import { faultsOf } from '../support/stream-recorder.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

const isLong = process.env['BOARDWIRE_TEST_TIER'] === 'long';
const size = isLong ? 2_000 : 200;
const perSecond = 10;
const drainMs = 10_000;
/** Of one user's connections on one gateway; while the other restarts, that one has all of them. */
const perGuest = 25;
const subject = 'AxonChat.rolling';

let site: TestSite;
let fleet: Fleet;
let load: SteadyWriter;

beforeAll(async () => {
  const env = { DRAIN_MS: String(drainMs) };
  site = await startTestSite({ mode: 'processes', gateways: 2, hasProxy: true, env });
  const writer = await site.admin();
  const guests: Person[] = [];
  for (let at = 0; at < size / perGuest; at += 1) guests.push(await signInAsGuest(site.url, `reader ${at}`));
  fleet = new Fleet({ url: site.url, board: 'events', subject, tokens: guests.map(({ token }) => token), size });
  await fleet.start();
  load = new SteadyWriter({ url: site.url, person: writer, subject, perSecond });
}, 180_000);
afterAll(async () => {
  await load?.stop();
  fleet?.close();
  await site?.stop();
}, 60_000);

const restart = (name: string, signal: NodeJS.Signals) =>
  restartFromOutside(site, name, { signal, withinMs: drainMs + 15_000 });

describe(`two gateways behind one address with ${size} readers under steady load`, () => {
  test('are restarted one after the other: nothing is lost or doubled, and never do many come back at once', async () => {
    for (const name of ['gateway', 'gateway-2']) {
      const since = performance.now();
      await restart(name, 'SIGTERM');
      await fleet.allLive();
      expect(fleet.returns.length).toBeGreaterThan(size / 4);
      expect(fleet.busiestSecond(since)).toBeLessThanOrEqual(size * 0.2);
    }
    await allHaveAll();
    // Half were on the first; all of them were on the second.
    expect(fleet.returns.length).toBeGreaterThanOrEqual(size);
  }, 120_000);

  test('lose nothing when one of them is killed with clients on it', async () => {
    const returned = fleet.returns.length;
    await restart('gateway', 'SIGKILL');
    await fleet.allLive();
    expect(fleet.returns.length).toBeGreaterThan(returned);
    await allHaveAll();
  }, 60_000);
});

async function allHaveAll(): Promise<void> {
  const { last, seqs } = load;
  await fleet.reached(last);
  expect(fleet.faults()).toEqual([]);
  expect(faultsOf(seqs, 1, load.last)).toEqual([]);
}
