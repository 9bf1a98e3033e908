import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '@boardwire/test-kit';
import pg from 'pg';
import { bad, doctor } from '../support/operator.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

let site: TestSite;
beforeAll(async () => {
  site = await startTestSite();
}, 60_000);
afterAll(() => site?.stop(), 30_000);

describe('the doctor', () => {
  test('finds nothing on a site that is well, and has looked at everything', async () => {
    await eventually(
      async () => {
        const told = await doctor(site);
        expect(bad(told)).toEqual([]);
        expect(told.code).toBe(0);
        expect(told.findings.map(({ check }) => check)).toEqual(
          expect.arrayContaining([
            'gateway',
            'chat',
            'federation',
            'audit',
            'applets',
            'postgres',
            'connections',
            'clock of postgres',
            'database of chat',
            'database of federation',
            'database of audit',
            'audit checkpoint',
            'nats',
            'stream BOARDS',
            'stream AUDIT',
            'site keys',
            'disk',
            'secrets',
          ]),
        );
      },
      { timeoutMs: 15_000 },
    );
  }, 30_000);

  test('says who may read a secret, connections that don’t fit, and migrations that have not run', async () => {
    const secret = join(site.site.dataDir, 'secrets', 'internal-secret');
    await chmod(secret, 0o644);
    const newest = 'SELECT max(id) FROM chat.migrations';
    const [row] = await inDatabase<{ name: string }>(`SELECT name FROM chat.migrations WHERE id = (${newest})`);
    const { name } = row!;
    await inDatabase(`UPDATE chat.migrations SET name = name || ' not run' WHERE id = (${newest})`);
    const told = await doctor(site, '--replicas', '99');
    await chmod(secret, 0o600);
    await inDatabase(`UPDATE chat.migrations SET name = '${name}' WHERE id = (${newest})`);
    expect(told.code).toBe(1);
    expect(bad(told).map(({ check, says }) => [check, says])).toEqual([
      ['database of chat', `1 migrations have not run, ${name} first`],
      ['connections', expect.stringContaining(`may open ${99 * 39}`)],
      ['secrets', 'others may read internal-secret'],
    ]);
    for (const { mend } of bad(told)) expect(mend).toBeDefined();
  }, 30_000);

  // The last one: they stay away.
  test('says that NATS and Postgres are away, and goes on looking', async () => {
    const { nats, postgres } = site.infrastructure;
    await Promise.all([nats.kill(), postgres.kill()]);
    const told = await doctor(site);
    const checks = bad(told).map(({ check }) => check);
    expect(told.code).toBe(1);
    expect(checks).toEqual(expect.arrayContaining(['nats', 'database of chat', 'database of audit', 'federation']));
    expect(told.findings.map(({ check }) => check)).toContain('disk');
  }, 40_000);
});

/** As the administrator of Postgres. */
async function inDatabase<T extends object>(sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: site.infrastructure.postgres.url });
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}
