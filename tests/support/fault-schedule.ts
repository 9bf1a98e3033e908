import { setTimeout as sleep } from 'node:timers/promises';
import type { SeededRandom } from '@boardwire/test-kit';
import { noFault, type Fault, type FaultyDoor, type Healing } from './faulty-door.ts';
import type { Flow } from './lane.ts';

const held: Flow = { kind: 'held' };
const both = (flow: Flow): Fault => ({ ...noFault, up: flow, down: flow });

/** New connections are taken, nothing gets through, and nobody is told. */
export const silence = both(held);

/** Everything that can be wrong with a way; `cut` also ends what is open. */
const faults = {
  refused: { ...noFault, opens: 'refused' },
  cut: { ...noFault, opens: 'refused' },
  silent: silence,
  'nothing gets there': { ...noFault, up: held },
  'nothing comes back': { ...noFault, down: held },
  '600 ms late': both({ kind: 'late', byMs: 300 }),
  'by drops': both({ kind: 'drip', bytes: 200, everyMs: 20 }),
} satisfies Record<string, Fault>;

export type FaultName = keyof typeof faults;
export const faultNames = Object.keys(faults) as FaultName[];

export interface PlannedFault {
  from: string;
  to: string;
  name: FaultName;
  atMs: number;
  forMs: number;
  healing: Healing;
}

export interface Span {
  /** When the last one begins at the latest. */
  untilMs: number;
  /** How long each lasts. */
  forMs: readonly [number, number];
}

/** For every site's way to every other one: some faults, one after the other. */
export function planFaults(random: SeededRandom, sites: readonly string[], { untilMs, forMs }: Span): PlannedFault[] {
  const ways = sites.flatMap((from) => sites.filter((to) => to !== from).map((to) => ({ from, to })));
  return ways.flatMap((way) => {
    const planned: PlannedFault[] = [];
    for (let atMs = random.integer(0, untilMs / 2); atMs < untilMs;) {
      const fault = { name: random.pick(faultNames), atMs, forMs: random.integer(...forMs) };
      planned.push({ ...way, ...fault, healing: random.pick(['go on', 'reset', 'never'] as const) });
      atMs += fault.forMs + random.integer(0, untilMs / 2);
    }
    return planned;
  });
}

/** Lets one happen, and resolves when the way is whole again. `door` is that of the site to which it leads. */
export async function happen(fault: PlannedFault, door: FaultyDoor): Promise<void> {
  await sleep(fault.atMs);
  door.break(fault.from, faults[fault.name]);
  if (fault.name === 'cut') door.cut(fault.from);
  await sleep(fault.forMs);
  door.heal(fault.from, fault.healing);
}
