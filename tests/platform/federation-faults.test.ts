import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, seededRandom, type SeededRandom } from '@boardwire/test-kit';
import { happen, planFaults, silence, type PlannedFault, type Span } from '../support/fault-schedule.ts';
import { FaultyDoor, noFault } from '../support/faulty-door.ts';
import { FederatedPlace } from '../support/federated-place.ts';
import { allLive, invite, share, startFederatedSite, trustAll } from '../support/federation.ts';

const isLong = process.env['BOARDWIRE_TEST_TIER'] === 'long';
const first = seededRandom();
const seeds = Array.from({ length: isLong ? 50 : 1 }, (_, at) => first.seed + at);
const span: Span = isLong ? { untilMs: 6_000, forMs: [500, 6_000] } : { untilMs: 2_000, forMs: [500, 2_000] };
const spoken = isLong ? { count: 60, restMsMax: 200 } : { count: 20, restMsMax: 200 };

const places: FederatedPlace[] = [];

async function startPlace(name: string): Promise<FederatedPlace> {
  const target = { port: 0 };
  const door = await FaultyDoor.to(() => target.port);
  const site = await startFederatedSite(name, {
    // One of them, so that its service can be killed.
    mode: name === 'B' ? 'processes' : 'one-process',
    env: { FEDERATION_HEARTBEAT_MS: '500', FEDERATION_ENDPOINTS: door.url },
  });
  target.port = Number(new URL(site.url).port);
  return FederatedPlace.at(site, door);
}

beforeAll(async () => {
  for (const name of ['A', 'B', 'C']) {
    // oxlint-disable-next-line no-await-in-loop -- one machine
    places.push(await startPlace(name));
  }
  const sites = places.map(({ site }) => site);
  const room = await share(sites[0]!);
  await invite(sites[0]!, sites[1]!, room);
  await invite(sites[0]!, sites[2]!, room);
  await allLive(...sites);
  await trustAll(...sites);
}, 180_000);
afterAll(() => Promise.all(places.map((place) => place.stop())), 60_000);

interface Restart {
  place: FederatedPlace;
  ending: 'kill' | 'stop';
  atMs: number;
  forMs: number;
}

function planRestart(random: SeededRandom): Restart {
  const place = random.pick(places);
  const canBeKilled = place === places[1];
  const ending = random.pick(['kill', 'stop'] as const);
  return {
    place,
    ending: canBeKilled ? ending : 'stop',
    atMs: random.integer(0, span.untilMs),
    forMs: random.integer(0, 1_500),
  };
}

async function restart({ place, ending, atMs, forMs }: Restart): Promise<void> {
  const federation = place.site.site.services['federation']!;
  await sleep(atMs);
  await federation[ending]();
  await sleep(forMs);
  await federation.start();
}

/** What a reader of a failure wants to know. */
function tell(faults: readonly PlannedFault[], { place, ending, atMs, forMs }: Restart): string {
  const nameOf = (id: string) => 'ABC'[places.findIndex((one) => one.id === id)];
  const lines = faults.map(
    (fault) =>
      `${nameOf(fault.from)} to ${nameOf(fault.to)} ${fault.name}, ${fault.atMs}+${fault.forMs} ms, then ${fault.healing}`,
  );
  return [...lines, `${ending} of ${nameOf(place.id)}, ${atMs}+${forMs} ms`].join('\n');
}

async function allHaveTheSame(): Promise<void> {
  for (const place of places) {
    // oxlint-disable-next-line no-await-in-loop
    await place.hasAllOf(places, 60_000);
    // oxlint-disable-next-line no-await-in-loop
    await place.handedOver();
  }
}

/** What is said now comes everywhere by streams: no connection is left that is dead without anybody knowing. */
async function streamsCarryAgain(): Promise<void> {
  const detours = () => Promise.all(places.map((place) => place.detours()));
  await eventually(
    async () => {
      const before = await detours();
      for (const place of places) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await place.speak(first.fork(), { count: 1, restMsMax: 0 });
      }
      await allHaveTheSame();
      expect(await detours()).toEqual(before);
    },
    { timeoutMs: 30_000, everyMs: 500 },
  );
}

async function nothingIsAmiss(): Promise<void> {
  const [first, ...others] = await Promise.all(places.map((place) => place.feedItems()));
  for (const items of others) expect(items).toEqual(first);
  const none = { holes: 0, evidence: 0, strikes: 0, frozen: 0, repeats: 0, furtherEpochs: 0 };
  for (const blemishes of await Promise.all(places.map((place) => place.blemishes()))) expect(blemishes).toEqual(none);
  await allLive(...places.map(({ site }) => site));
}

test.each(seeds)(
  'whatever happens to links and services, everybody gets everything once, in order (seed %i)',
  async (seed) => {
    const random = seededRandom(seed);
    const ids = places.map(({ id }) => id);
    const faults = planFaults(random.fork(), ids, span);
    const stop = planRestart(random.fork());
    const doors = new Map(places.map(({ id, door }) => [id, door]));
    await Promise.all(places.map((place) => place.renew()));
    await Promise.all([
      ...faults.map((fault) => happen(fault, doors.get(fault.to)!)),
      restart(stop),
      ...places.map((place) => place.speak(random.fork(), spoken)),
    ]);
    const wholeAt = performance.now();
    try {
      await allHaveTheSame();
      const tookMs = performance.now() - wholeAt;
      await nothingIsAmiss();
      await streamsCarryAgain();
      const liveMs = performance.now() - wholeAt;
      process.stdout.write(
        `seed ${random.seed}: all had all after ${tookMs.toFixed(0)} ms, by streams alone after ${liveMs.toFixed(0)} ms\n`,
      );
    } catch (error) {
      process.stdout.write(`seed ${random.seed}\n${tell(faults, stop)}\n`);
      throw error;
    }
  },
  120_000,
);

if (isLong) {
  test.each(['can dial nobody', 'can be dialled by nobody'] as const)(
    'a site that %s from one moment on still gets and gives everything',
    async (what) => {
      const [a, b, c] = places as [FederatedPlace, FederatedPlace, FederatedPlace];
      const ways = [a, c].map((other) =>
        what === 'can dial nobody' ? { door: other.door, from: b.id } : { door: b.door, from: other.id },
      );
      // What it has open stays open, and neither end hears anything of the other any more.
      for (const { door, from } of ways) door.break(from, silence);
      try {
        await Promise.all(places.map((place) => place.speak(first.fork(), { count: 3, restMsMax: 200 })));
        for (const place of places) {
          // oxlint-disable-next-line no-await-in-loop
          await place.hasAllOf(places, 15_000);
        }
      } finally {
        for (const { door, from } of ways) door.heal(from, 'reset');
      }
      await nothingIsAmiss();
    },
    60_000,
  );

  test('connections that are dead without a word don’t keep a site from coming back', async () => {
    const [a, b, c] = places as [FederatedPlace, FederatedPlace, FederatedPlace];
    const refused = [
      { door: c.door, from: b.id },
      { door: b.door, from: a.id },
      { door: b.door, from: c.id },
    ];
    for (const { door, from } of refused) {
      door.break(from, { ...noFault, opens: 'refused' });
      door.cut(from);
    }
    try {
      await a.speak(first.fork(), { count: 5, restMsMax: 200 });
      await b.hasAllOf(places, 15_000);
      a.door.break(b.id, silence);
      await a.speak(first.fork(), { count: 10, restMsMax: 500 });
      a.door.heal(b.id, 'never');
      const wholeAt = performance.now();
      await b.hasAllOf(places, 60_000);
      process.stdout.write(`a site came back ${(performance.now() - wholeAt).toFixed(0)} ms after its way was whole\n`);
    } finally {
      for (const { door, from } of refused) door.heal(from, 'reset');
    }
    await nothingIsAmiss();
  }, 120_000);
}
