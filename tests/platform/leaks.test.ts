import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '@boardwire/test-kit';
import { readdirSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { endingsOf, revocationsOf, runEndings, type Ending } from '../support/endings.ts';
import { call, signInAsGuest } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

const isLong = process.env['BOARDWIRE_TEST_TIER'] === 'long';
const cycles = isLong ? 10_000 : 600;
/** A connection that stays in any list keeps several KiB. The rest is caches that fill up once. */
const heapGrowthMax = isLong ? 8_000_000 : 2_500_000;

let site: TestSite;
let endings: Ending[];
let revocations: Ending[];

beforeAll(async () => {
  const collector = pathToFileURL(join(import.meta.dirname, '../support/collect-garbage.mjs')).href;
  site = await startTestSite({
    mode: 'processes',
    env: { HEARTBEAT_MS: '200', LEAVE_GRACE_MS: '0', LOG_LEVEL: 'warn', NODE_OPTIONS: `--import ${collector}` },
  });
  const { url } = site;
  endings = Object.values(endingsOf({ url, admin: await site.admin(), guest: await signInAsGuest(url, 'leaky') }));
  revocations = Object.values(revocationsOf({ url }));
}, 90_000);
afterAll(async () => {
  await site?.stop();
}, 30_000);

const gateway = () => site.site.services['gateway']!;
const metric = (text: string, name: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith(name) && /^[ {]/.test(line.slice(name.length)))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);

/** When nobody is connected any more: what the process still holds. */
async function held(): Promise<{ heap: number; descriptors: number }> {
  await eventually(
    async () => {
      const { text } = await call(`${gateway().internalUrl}/metrics`);
      expect(metric(text, 'boardwire_gateway_connections')).toBe(0);
      expect(metric(text, 'boardwire_subscriptions')).toBe(0);
    },
    { timeoutMs: 15_000 },
  );
  let least = { heap: Number.POSITIVE_INFINITY, descriptors: Number.POSITIVE_INFINITY };
  for (let look = 0; look < 5; look += 1) {
    process.kill(gateway().pid!, 'SIGUSR2');
    // oxlint-disable-next-line no-await-in-loop -- what was on its way is let go of between two looks
    await new Promise((resolve) => setTimeout(resolve, 300));
    // oxlint-disable-next-line no-await-in-loop
    const { text } = await call(`${gateway().internalUrl}/metrics`);
    const descriptors = readdirSync(`/proc/${gateway().pid}/fd`).length;
    least = {
      heap: Math.min(least.heap, metric(text, 'nodejs_heap_size_used_bytes')),
      descriptors: Math.min(least.descriptors, descriptors),
    };
  }
  return least;
}

describe('connections', () => {
  test(
    `leave nothing behind, however they end (${cycles} of them)`,
    async () => {
      const rare = isLong ? 60 : 6;
      // Code, caches and pools fill up once.
      await runEndings(endings, Math.max(120, cycles / 5));
      await runEndings(revocations, rare);
      const before = await held();
      await runEndings(endings, cycles);
      await runEndings(revocations, rare);
      const after = await held();
      process.stderr.write(
        `heap ${before.heap} → ${after.heap}, descriptors ${before.descriptors} → ${after.descriptors}\n`,
      );
      expect(after.descriptors - before.descriptors).toBeLessThanOrEqual(4);
      expect(after.heap - before.heap).toBeLessThan(heapGrowthMax);
    },
    isLong ? 900_000 : 120_000,
  );
});
