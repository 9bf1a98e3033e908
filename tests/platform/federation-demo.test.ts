import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const isLong = process.env['BOARDWIRE_TEST_TIER'] === 'long';
const run = promisify(execFile);
const main = join(import.meta.dirname, '../../site/dist/federation-demo/main.js');
const posts = isLong ? 1_000 : 30;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'boardwire-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const environment = () => ({ ...process.env, TMPDIR: folder });

test('npm run demo:federation: host, relay and pi hold the same events after links broke and healed', async () => {
  const args = [main, '--posts', String(posts), '--seconds', isLong ? '30' : '8'];
  const { stdout } = await run(process.execPath, args, { env: environment(), timeout: 240_000 });
  for (const site of ['host', 'relay', 'pi']) {
    const row = stdout.split('\n').find((line) => line.startsWith(`  ${site.padEnd(8)} `));
    expect(row?.trim().split(/\s+/)).toEqual([site, String(9 * posts), '0', '0', '0', '0']);
  }
  expect(stdout).toContain('Host sees pi as offline');
  expect(stdout).toContain('The heads of all three feeds are the same everywhere.');
  expect(stdout).toContain('All three sites hold the same events, each once, in their origin’s order.');
  expect(await readdir(folder)).toEqual([]);
}, 250_000);

test('it is gone without a trace when it is interrupted', async () => {
  const demo = spawn(process.execPath, [main], { env: environment(), stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise<void>((resolve) => {
    demo.stdout.on('data', (text: Buffer) => {
      if (text.toString().includes('✔ host')) resolve();
    });
  });
  demo.kill('SIGINT');
  expect(await new Promise((resolve) => demo.once('exit', resolve))).toBe(130);
  expect(await readdir(folder)).toEqual([]);
}, 60_000);
