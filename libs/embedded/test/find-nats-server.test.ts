import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findNatsServer, type NatsFetcher } from '../src/nats/find-nats-server.ts';
import { downloadNatsRelease } from '../src/nats/nats-release.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'boardwire find nats '));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** A program that says it is nats-server of that version. */
async function fakeServer(version: string, ...path: string[]): Promise<string> {
  const parent = join(folder, ...path);
  await mkdir(parent, { recursive: true });
  const program = join(parent, 'nats-server');
  await writeFile(program, `#!/bin/sh\necho "nats-server: v${version}"\n`);
  await chmod(program, 0o755);
  return program;
}

function machine(env: Record<string, string>, fetchers: NatsFetcher[] = []) {
  return {
    env: { BOARDWIRE_CACHE: join(folder, 'cache'), XDG_CACHE_HOME: join(folder, 'xdg'), ...env },
    fetchers,
    usualFolders: [],
  };
}

describe('findNatsServer', () => {
  it('takes NATS_SERVER_BIN at its word, and an older one with a warning', async () => {
    const path = await fakeServer('2.9.10', 'named');
    const found = await findNatsServer(machine({ NATS_SERVER_BIN: path }));
    expect(found).toMatchObject({ path, version: '2.9.10', warning: expect.stringContaining('older') });
  });

  it('does not go on silently when NATS_SERVER_BIN is wrong', async () => {
    await expect(findNatsServer(machine({ NATS_SERVER_BIN: '/nowhere' }))).rejects.toThrow(/NATS_SERVER_BIN=\/nowhere/);
  });

  it('passes over an old one on PATH and finds a newer one behind it', async () => {
    await fakeServer('2.9.22', 'old');
    const path = await fakeServer('2.10.4', 'new');
    const found = await findNatsServer(machine({ PATH: `${join(folder, 'old')}:${join(folder, 'new')}` }));
    expect(found).toMatchObject({ path, version: '2.10.4' });
  });

  it("uses the user's cache without fetching, the newest first", async () => {
    await fakeServer('2.10.9', 'xdg', 'boardwire', 'nats-server-2.10.9');
    const path = await fakeServer('2.10.27', 'xdg', 'boardwire', 'nats-server-2.10.27');
    const fetcher = { name: 'network', fetch: () => Promise.reject(new Error('must not be asked')) };
    expect(await findNatsServer(machine({}, [fetcher]))).toMatchObject({ path, origin: 'cache' });
    await rm(join(folder, 'xdg'), { recursive: true });
  });

  it('tries one source after the other and keeps what it fetched for other clones', async () => {
    const fetchers = [
      { name: 'first', fetch: () => Promise.reject(new Error('no network')) },
      { name: 'second', fetch: () => fakeServer('2.11.1', 'cache', 'nats-server-2.11.1') },
    ];
    expect(await findNatsServer(machine({}, fetchers))).toMatchObject({ version: '2.11.1', origin: 'second' });
    expect(await readdir(join(folder, 'xdg', 'boardwire'))).toEqual(['nats-server-2.11.1']);
    await rm(join(folder, 'xdg'), { recursive: true });
    await rm(join(folder, 'cache'), { recursive: true });
  });

  it('lists everything it tried and what to type when there is none', async () => {
    const fetchers = [{ name: 'the official release', fetch: () => Promise.reject(new Error('no network')) }];
    const error: unknown = await findNatsServer(machine({ PATH: join(folder, 'old') }, fetchers)).catch(
      (e: unknown) => e,
    );
    const { message } = error as Error;
    for (const part of [
      'NATS_URL',
      'NATS_SERVER_BIN',
      '2.9.22 is older',
      'nothing cached',
      'no network',
      'apt-get install',
    ]) {
      expect(message).toContain(part);
    }
  });
});

describe('downloadNatsRelease', () => {
  it('unpacks nothing whose checksum differs', async () => {
    const cache = join(folder, 'checked');
    await mkdir(cache);
    const fetchBytes = () => Promise.resolve(Buffer.from('not the release'));
    await expect(downloadNatsRelease(cache, fetchBytes)).rejects.toThrow(/checksum/);
    expect(await readdir(cache)).toEqual([]);
  });
});
