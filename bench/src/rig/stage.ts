import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { compileNative, type NativePrograms } from '../native/native-programs.ts';
import { allowedCores, chooseCores, pin, type Cores } from './cores.ts';

export type Say = (text: string) => void;

/** What a bench works with, and what is cleaned up behind it. */
export interface Stage {
  readonly folder: string;
  readonly cores: Cores | undefined;
  readonly programs: NativePrograms;
  readonly say: Say;
  /** Stops it when the bench ends, last come first. */
  own<T extends Stoppable>(thing: T): T;
}

interface Stoppable {
  stop?(): Promise<unknown>;
  close?(): Promise<unknown>;
}

const interruptedStatus = 130;

/** Runs a bench in a temporary folder with compiled programs, and leaves nothing behind, also on Ctrl-C. */
export async function onStage<T>(
  say: Say,
  work: (stage: Stage) => Promise<T>,
  { isPinned = true }: { isPinned?: boolean } = {},
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'boardwire-bench-'));
  const owned: Stoppable[] = [];
  const before = allowedCores();
  let cleaning: Promise<void> | undefined;
  const clean = () => (cleaning ??= stopAll(owned, folder));
  const onSignal = () => {
    say('\nstopping what was started …');
    void clean().finally(() => process.exit(interruptedStatus));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);
  try {
    const programs = compileNative(folder);
    const cores = isPinned ? chooseCores() : undefined;
    pin(cores?.load);
    const own = <Thing extends Stoppable>(thing: Thing): Thing => {
      owned.push(thing);
      return thing;
    };
    return await work({ folder, cores, programs, say, own });
  } finally {
    await clean();
    pin(before);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onSignal);
  }
}

async function stopAll(owned: Stoppable[], folder: string): Promise<void> {
  for (let thing = owned.pop(); thing !== undefined; thing = owned.pop()) {
    // oxlint-disable-next-line no-await-in-loop -- clients before their servers
    await (thing.stop?.() ?? thing.close?.())?.catch(() => undefined);
  }
  await rm(folder, { recursive: true, force: true });
}

/** What a reader must know about where things ran. */
export function stageNotes({ cores }: Stage): string[] {
  const where =
    cores === undefined
      ? 'Nothing is pinned: the server under test shares its core with the load generator.'
      : `Server under test on core ${cores.server} alone; load generator, feeder and nats-server on core ${cores.load}.`;
  return [
    where,
    'CPU is user + system of the server process over all its threads. The load generator spins, so that no wake-up is in the times.',
    'Every number is checked on every connection: a gap, a repeat or a lost connection fails the bench.',
  ];
}
