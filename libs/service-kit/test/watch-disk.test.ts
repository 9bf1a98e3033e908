import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Metrics, watchDisk } from '../src/index.ts';

async function told(metrics: Metrics): Promise<Record<string, number>> {
  const text = await metrics.registry.metrics();
  return Object.fromEntries(
    Array.from(text.matchAll(/^boardwire_disk_(\w+)_bytes (\S+)$/gm), ([, name, value]) => [name!, Number(value)]),
  );
}

test('tells what the system says of the disk, and that it does not know once the path is gone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'disk-'));
  const metrics = new Metrics();
  watchDisk(metrics, folder);
  const { bsize, blocks } = await statfs(folder);
  const { size, available } = await told(metrics);
  expect(size).toBe(blocks * bsize);
  expect(available).toBeGreaterThan(0);
  expect(available).toBeLessThan(size!);
  await rm(folder, { recursive: true });
  expect(await told(metrics)).toEqual({ size: Number.NaN, available: Number.NaN });
});

test('refuses a path that is not there', () => {
  expect(() => watchDisk(new Metrics(), join(tmpdir(), 'no such disk'))).toThrow('ENOENT');
});
