import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, provideNats, providePostgres, type NatsServer } from '../src/index.ts';

let dataDir: string;
let nats: NatsServer;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'boardwire-given-'));
  nats = await provideNats({ dataDir, env: process.env });
}, 60_000);

afterAll(async () => {
  await nats.stop();
  await rm(dataDir, { recursive: true, force: true });
});

describe('a server given by its address', () => {
  const givenNats = (env: Record<string, string>) => provideNats({ dataDir, env });

  it('is used when it takes the token', async () => {
    const given = await givenNats({ NATS_URL: nats.url, NATS_TOKEN: nats.token ?? '' });
    expect(given).toMatchObject({ kind: 'external', port: nats.port, version: nats.version });
  });

  it('that wants a token, or another one, is an error that says so', async () => {
    await expect(givenNats({ NATS_URL: nats.url })).rejects.toThrow(/Authorization Violation.*in NATS_TOKEN/);
    await expect(givenNats({ NATS_URL: nats.url, NATS_TOKEN: 'wrong' })).rejects.toThrow(/Is NATS_TOKEN its token\?/);
  });

  it('that does not answer is named by host and port, never by its password', async () => {
    const port = await freePort();
    await expect(givenNats({ NATS_URL: `nats://127.0.0.1:${port}` })).rejects.toThrow(`127.0.0.1:${port}`);
    const env = { DATABASE_URL: `postgres://ada:secret@127.0.0.1:${port}/board` };
    const error = await providePostgres({ dataDir, env }).catch((reason: Error) => reason.message);
    expect(error).toContain(`127.0.0.1:${port}`);
    expect(error).not.toContain('secret');
  });

  it.each(['what', 'http://localhost', 'localhost:4222'])('must be an address, unlike %s', async (text) => {
    await expect(givenNats({ NATS_URL: text })).rejects.toThrow('nats://host:4222');
    await expect(providePostgres({ dataDir, env: { DATABASE_URL: text } })).rejects.toThrow(
      'postgres://user:password@',
    );
  });
});
