import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processStart } from '@boardwire/embedded';
import { lockSite } from '../src/site-lock.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'boardwire-lock-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const holdBy = (pid: number, start: string) => writeFile(join(folder, 'site.lock'), JSON.stringify({ pid, start }));

describe('the lock of a data folder', () => {
  it('is refused while its holder lives, naming it', async () => {
    const holder = spawn('sleep', ['60']);
    const pid = holder.pid as number;
    await holdBy(pid, await processStart(pid));
    await expect(lockSite(folder)).rejects.toThrow(`pid ${pid}`);
    holder.kill('SIGKILL');
  });

  it('is taken over from a holder that is gone', async () => {
    await holdBy(4_194_000, '1');
    const lock = await lockSite(folder);
    await lock.release();
  });

  it('is taken over when the pid was given to somebody else meanwhile', async () => {
    await holdBy(process.ppid, 'another start');
    const lock = await lockSite(folder);
    await lock.release();
  });
});
