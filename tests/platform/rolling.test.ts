import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '@boardwire/test-kit';
import { Fleet } from '../support/fleet.ts';
import { call, signInAsGuest, type Person } from '../support/person.ts';
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
let writer: Person;
let fleet: Fleet;
const seqs: number[] = [];
let isWriting = true;
let writing: Promise<void>;

/** One post after the other at a steady pace; one that was not answered is repeated with its id. */
async function write(): Promise<void> {
  for (let at = 0; isWriting; at += 1) {
    const json = { id: `rolling-${at}`, subject, type: 'note', data: { at } };
    const url = `${site.url}/v1/boards/events/events`;
    const answer = await call<{ seq: number }>(url, { token: writer.token, json }).catch(() => undefined);
    if (answer?.status === 200 || answer?.status === 201) seqs.push(answer.body.seq);
    else at -= 1;
    await new Promise((resolve) => setTimeout(resolve, 1_000 / perSecond));
  }
}

beforeAll(async () => {
  const env = { DRAIN_MS: String(drainMs) };
  site = await startTestSite({ mode: 'processes', gateways: 2, hasProxy: true, env });
  writer = await site.admin();
  const guests: Person[] = [];
  for (let at = 0; at < size / perGuest; at += 1) guests.push(await signInAsGuest(site.url, `reader ${at}`));
  fleet = new Fleet({ url: site.url, board: 'events', subject, tokens: guests.map(({ token }) => token), size });
  await fleet.start();
  writing = write();
}, 180_000);
afterAll(async () => {
  isWriting = false;
  await writing;
  fleet?.close();
  await site?.stop();
}, 60_000);

const pidOf = (name: string) => site.site.services[name]!.pid;

/** Told to stop from outside, as by an orchestrator; the launcher starts it again. */
async function restart(name: string, signal: NodeJS.Signals): Promise<void> {
  const before = pidOf(name)!;
  process.kill(before, signal);
  await eventually(() => expect([undefined, before]).not.toContain(pidOf(name)), { timeoutMs: drainMs + 15_000 });
  await eventually(async () => expect((await call(`${site.internalUrl(name)}/readyz`)).status).toBe(200), {
    timeoutMs: 15_000,
  });
}

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
  const last = seqs.at(-1)!;
  await fleet.reached(last);
  expect(fleet.faults()).toEqual([]);
  expect(faultsOf(seqs, 1, seqs.at(-1)!)).toEqual([]);
}
