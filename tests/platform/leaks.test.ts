import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '@boardwire/test-kit';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { endingsOf, revocationsOf, runEndings, type Ending } from '../support/endings.ts';
import { call, signInAsGuest } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

const isLong = process.env['BOARDWIRE_TEST_TIER'] === 'long';
const cycles = isLong ? 10_000 : 1_000;
/** What belongs to one connection: none of it may be left, but for the last ones in places that the next call overwrites. */
const ownKinds = ['Outbox', 'Subscription', 'SseConnection', 'EventSocket', 'SocketConnection'];
const lastOnes = 3;
/** Connections to chat and NATS have these as well; they come and go. */
const sharedKinds = ['Socket', 'IncomingMessage', 'descriptors'];
const others = 10;
const descriptorsMax = 4;
/** Bytes: what is neither counted nor small. Code and caches fill up once. */
const heapGrowthMax = isLong ? 8_000_000 : 2_500_000;

let site: TestSite;
let objectsFile: string;
let endings: Record<string, Ending>;
let revocations: Record<string, Ending>;

beforeAll(async () => {
  const counter = pathToFileURL(join(import.meta.dirname, '../support/count-objects.mjs')).href;
  objectsFile = join(tmpdir(), `boardwire-objects-${process.pid}.json`);
  site = await startTestSite({
    mode: 'processes',
    env: {
      HEARTBEAT_MS: '200',
      LEAVE_GRACE_MS: '0',
      LOG_LEVEL: 'warn',
      NODE_OPTIONS: `--import ${counter}`,
      OBJECTS_FILE: objectsFile,
    },
  });
  const { url } = site;
  endings = endingsOf({ url, admin: await site.admin(), guest: await signInAsGuest(url, 'leaky') });
  revocations = revocationsOf({ url });
}, 90_000);
afterAll(async () => {
  await site?.stop();
  rmSync(objectsFile, { force: true });
}, 30_000);

const gateway = () => site.site.services['gateway']!;

type Held = Record<string, number>;

/** What the gateway holds now, with its garbage collected. */
async function look(): Promise<Held> {
  rmSync(objectsFile, { force: true });
  process.kill(gateway().pid!, 'SIGUSR2');
  const held = await eventually(() => JSON.parse(readFileSync(objectsFile, 'utf8')) as Held, { timeoutMs: 20_000 });
  return { ...held, descriptors: readdirSync(`/proc/${gateway().pid}/fd`).length };
}

/** Once nobody is connected any more. */
async function held(): Promise<Held> {
  await eventually(
    async () => {
      const { text } = await call(`${gateway().internalUrl}/metrics`);
      const open = [...text.matchAll(/^boardwire_(?:gateway_connections|subscriptions)\S* (\d+)$/gm)];
      expect(open.map(([, count]) => Number(count)).reduce((sum, count) => sum + count, 0)).toBe(0);
    },
    { timeoutMs: 15_000 },
  );
  return look();
}

const isTooMuch = (before: Held, now: Held) => (kind: string) =>
  ownKinds.includes(kind)
    ? now[kind]! > lastOnes
    : now[kind]! - before[kind]! > (kind === 'descriptors' ? descriptorsMax : others);

/** The kinds of which there is too much; a question to chat that nobody waits for any more has its deadline of 5 s. */
async function leftBehind(before: Held): Promise<string[]> {
  let left: string[] = [];
  const nothingLeft = async () => {
    const now = await held();
    left = [...ownKinds, ...sharedKinds].filter(isTooMuch(before, now)).map((kind) => `${now[kind]} × ${kind}`);
    expect(left).toEqual([]);
  };
  await eventually(nothingLeft, { timeoutMs: 12_000, everyMs: 500 }).catch(() => undefined);
  return left;
}

describe('connections', () => {
  test(
    `leave nothing behind, however they end (${cycles} of them)`,
    async () => {
      const all = Object.values(endings);
      const rare = Object.values(revocations);
      const rareCycles = isLong ? 60 : 10;
      // Code, caches and pools fill up once.
      await runEndings(all, Math.max(120, cycles / 5));
      await runEndings(rare, rareCycles);
      const before = await held();
      await runEndings(all, cycles);
      await runEndings(rare, rareCycles);
      const left = await leftBehind(before);
      const after = await look();
      process.stderr.write(
        `heap ${before['heap']} → ${after['heap']}, descriptors ${before['descriptors']} → ${after['descriptors']}\n`,
      );
      expect(left).toEqual([]);
      expect(after['heap']! - before['heap']!).toBeLessThan(heapGrowthMax);
    },
    isLong ? 900_000 : 120_000,
  );
});
