import { execFile } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTestSite, testAdminPassword, type TestSite } from '../support/test-site.ts';

const isLong = process.env['BOARDWIRE_TEST_TIER'] === 'long';
const run = promisify(execFile);

let site: TestSite;
beforeAll(async () => {
  site = await startTestSite();
}, 60_000);
afterAll(async () => {
  await site?.stop();
}, 30_000);

const events = isLong ? 20_000 : 1_500;

test(`npm run demo: a follower, a late joiner and the audit log have every one of ${events} events in order`, async () => {
  const began = performance.now();
  const args = ['--url', site.url, '--events', String(events), '--seconds', isLong ? '60' : '5'];
  const { stdout } = await run(process.execPath, [join(import.meta.dirname, '../../site/dist/demo/main.js'), ...args], {
    env: { ...process.env, ADMIN_PASSWORD: testAdminPassword },
    timeout: 150_000,
  });
  for (const witness of ['follower (SSE)', 'late joiner', 'audit log']) {
    const row = stdout.split('\n').find((line) => line.trim().startsWith(witness));
    expect(row?.trim().split(/\s{2,}/)).toEqual([witness, String(events), '0', '0', '0']);
  }
  expect(stdout).toContain('Everybody has every event, once, in order.');
  expect(performance.now() - began).toBeLessThan(90_000);
}, 160_000);
