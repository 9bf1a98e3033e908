import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { seededRandom } from '@boardwire/test-kit';
import fc from 'fast-check';
import { beatMs, ChannelPod, GossipChannel, graceMs } from './support/gossip-channel.ts';

const seed = seededRandom().seed;
const numRuns = process.env['BOARDWIRE_TEST_TIER'] === 'long' ? 1_000 : 40;

const names = ['a', 'b', 'c', 'd'];
const pod = fc.nat({ max: names.length - 1 });
const filterSets = [['AxonChat'], ['AxonChat', 'inbox.7'], ['>']];

/** What can happen to gateways and the people on them. */
const happening = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ what: fc.constant('enter'), pod, user: fc.nat({ max: 6 }), set: fc.nat({ max: 2 }) }),
  },
  { weight: 6, arbitrary: fc.record({ what: fc.constant('leave'), which: fc.nat({ max: 1_000 }) }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('pass'), ms: fc.integer({ min: 1, max: 12_000 }) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('kill'), pod }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('stop'), pod }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('cut'), pod }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('mend'), pod }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('lossy'), is: fc.boolean() }) },
);
type Happening = { what: string; pod?: number; user?: number; set?: number; which?: number; ms?: number; is?: boolean };

interface Open {
  pod: ChannelPod;
  user: string;
  leave: () => void;
}

/** Four gateways that lose messages, each other and their lives. */
class World {
  readonly channel: GossipChannel;
  readonly everybody: ChannelPod[] = [];
  readonly alive: ChannelPod[];
  open: Open[] = [];

  constructor(channelSeed: number) {
    this.channel = new GossipChannel(channelSeed);
    this.alive = names.map((name) => this.#start(name));
  }

  happen({ what, pod: at = 0, user = 0, set = 0, which = 0, ms = 0, is = false }: Happening): void {
    const here = this.alive[at]!;
    if (what === 'enter') this.#enter(here, `u${user}`, filterSets[set]!);
    if (what === 'leave') this.open.splice(which % Math.max(1, this.open.length), 1)[0]?.leave();
    if (what === 'pass') jest.advanceTimersByTime(ms);
    if (what === 'kill') this.#replace(at, () => here.kill());
    if (what === 'stop') this.#replace(at, () => here.stop());
    if (what === 'cut') here.client.setConnected(false);
    if (what === 'mend') here.client.setConnected(true);
    if (what === 'lossy') this.channel.isLossy = is;
  }

  /** Nothing is lost any more, and nobody comes or goes. */
  calm(): void {
    this.channel.isLossy = false;
    for (const { client } of this.alive) if (!client.connected) client.setConnected(true);
    jest.advanceTimersByTime(5 * beatMs + graceMs + 5_000);
  }

  #enter(here: ChannelPod, user: string, filters: readonly string[]): void {
    this.open.push({ pod: here, user, leave: here.enter(user, filters) });
  }

  #replace(at: number, end: () => void): void {
    const gone = this.alive[at]!;
    end();
    this.open = this.open.filter((one) => one.pod !== gone);
    this.alive[at] = this.#start(names[at]!);
  }

  #start(name: string): ChannelPod {
    const started = new ChannelPod(this.channel, name);
    this.everybody.push(started);
    return started;
  }
}

afterEach(() => {
  jest.clearAllTimers();
  jest.useRealTimers();
});

describe('gateways that gossip', () => {
  test('agree when it is calm again, and tell each coming and going once', () => {
    fc.assert(
      fc.property(fc.array(happening, { minLength: 10, maxLength: 80 }), fc.nat(), (happenings, channelSeed) => {
        jest.useFakeTimers();
        const world = new World(channelSeed);
        for (const one of happenings) world.happen(one);
        world.calm();
        const present = [...new Set(world.open.map(({ user }) => user))].toSorted();
        for (const one of world.alive) {
          expect(one.here).toEqual(present);
          expect(one.presence.subscribers('events')).toBe(world.open.length);
          expect(one.gossip.pods).toBe(names.length - 1);
          expect(one.gossip.podsBehind).toBe(0);
          expect(leftOver(one.told)).toEqual(present);
        }
        for (const one of world.everybody) if (!world.alive.includes(one)) leftOver(one.told);
        jest.clearAllTimers();
      }),
      { seed, numRuns },
    );
  });
});

/** Who is left when joins and leaves are added up; each has to fit the one before. */
function leftOver(told: readonly string[]): string[] {
  const present = new Set<string>();
  for (const change of told) {
    const user = change.slice(1);
    expect({ change, wasPresent: present.has(user) }).toEqual({ change, wasPresent: change.startsWith('-') });
    if (change.startsWith('+')) present.add(user);
    else present.delete(user);
  }
  return [...present].toSorted();
}
