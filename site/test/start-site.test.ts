import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, startTestInfrastructure, type TestInfrastructure } from '@boardwire/test-kit';
import pg from 'pg';
import { join } from 'node:path';
import { startSite } from '../src/index.ts';

let servers: TestInfrastructure;

beforeAll(async () => {
  servers = await startTestInfrastructure();
}, 30_000);
afterAll(() => servers?.stop());

async function sessionsOfServices(): Promise<string[]> {
  const client = new pg.Client({ connectionString: servers.postgres.url });
  await client.connect();
  const { rows } = await client.query<{ usename: string }>(
    "SELECT usename FROM pg_stat_activity WHERE usename LIKE 'boardwire\\_%'",
  );
  await client.end();
  return rows.map(({ usename }) => usename);
}

describe('a site of which one service can’t start', () => {
  it('says why, and leaves none of the others running', async () => {
    const starting = startSite({
      dataDir: join(servers.folder, 'site'),
      ports: 'any',
      postgres: servers.postgres,
      nats: servers.nats,
      env: { NODE_ENV: 'test', LOG_LEVEL: 'error', CORS_ORIGINS: 'no origin' },
    });
    await expect(starting).rejects.toThrow(/CORS_ORIGINS/);
    await eventually(async () => expect(await sessionsOfServices()).toEqual([]), { timeoutMs: 5_000 });
    // Nor do they come back.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await sessionsOfServices()).toEqual([]);
  }, 30_000);
});
