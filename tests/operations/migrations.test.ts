import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestPostgres, type TestInfrastructure } from '@boardwire/test-kit';
import pg from 'pg';
import { workloadsOf } from './support/manifest.ts';
import { overlays, root } from './support/overlays.ts';

const { manifests, secrets } = overlays.find(({ name }) => name === 'production')!;
const cluster = manifests.find(({ kind }) => kind === 'Cluster')!;
const jobs = workloadsOf(manifests).filter(({ manifest }) => manifest.kind === 'Job');
const addresses = secrets.find(({ metadata }) => metadata.name === 'database-urls')!.stringData!;

let server: Pick<TestInfrastructure, 'postgres' | 'stop'>;
let administrator: pg.Client;

/** What CloudNativePG does with the manifest: the statements of a fresh database, then each role's password. */
beforeAll(async () => {
  server = await startTestPostgres();
  administrator = new pg.Client({ connectionString: server.postgres.url });
  await administrator.connect();
  for (const statement of cluster.spec.bootstrap.initdb.postInitApplicationSQL) await administrator.query(statement);
  for (const { name, passwordSecret } of cluster.spec.managed.roles) {
    const { username, password } = secrets.find(({ metadata }) => metadata.name === passwordSecret.name)!.stringData!;
    expect(username).toBe(name);
    await administrator.query(`ALTER ROLE ${pg.escapeIdentifier(name)} PASSWORD ${pg.escapeLiteral(password!)}`);
  }
}, 60_000);
afterAll(async () => {
  await administrator?.end();
  await server?.stop();
});

/** An address of `database-urls`, at the server of this test. */
function addressOf(key: string): string {
  const { username, password } = new URL(addresses[key]!);
  const { host, pathname } = new URL(server.postgres.url);
  return `postgres://${username}:${password}@${host}${pathname}`;
}

async function run([program, ...args]: string[], env: Record<string, string>): Promise<{ code: number; log: string }> {
  const child = spawn(program!, args, { cwd: root, env: { PATH: process.env['PATH'], ...env } });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (log += text.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, log };
}

function migrate(name: string): ReturnType<typeof run> {
  const { template } = jobs.find(({ manifest }) => manifest.metadata.name === `migrate-${name}`)!;
  const [{ command = [], env = [] }] = template.spec.containers as [(typeof template.spec.containers)[0]];
  const given = env.map(({ name: key, valueFrom }) => [key, addressOf(valueFrom!.secretKeyRef!.key)]);
  return run(command, Object.fromEntries(given) as Record<string, string>);
}

const askAs = async (key: string, sql: string): Promise<unknown> => {
  const client = new pg.Client({ connectionString: addressOf(key) });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await client.end();
  }
};

describe('the Jobs of migrations, in a database as CloudNativePG makes it', () => {
  test.each(['chat', 'federation', 'audit'])(
    'migrate %s, and find nothing to do the next time',
    async (name) => {
      const first = await migrate(name);
      expect([first.code, first.log]).toEqual([0, expect.stringContaining('database.migrated')]);
      const second = await migrate(name);
      expect([second.code, second.log]).toEqual([0, expect.not.stringContaining('database.migrated')]);
    },
    60_000,
  );

  test('leave each schema to its own role, and the audit log to nobody who runs', async () => {
    expect(await askAs('CHAT', 'SELECT current_schema() AS schema')).toEqual([{ schema: 'chat' }]);
    expect(await askAs('CHAT', 'SELECT * FROM audit.entry')).toMatch(/permission denied/);
    expect(await askAs('AUDIT', 'SELECT count(*)::int AS entries FROM entry')).toEqual([{ entries: 0 }]);
    expect(await askAs('AUDIT', 'SELECT count(*) > 0 AS seen FROM migrations')).toEqual([{ seen: true }]);
    expect(await askAs('AUDIT', 'DELETE FROM entry')).toMatch(/permission denied/);
    expect(await askAs('AUDIT', 'ALTER TABLE entry DISABLE TRIGGER ALL')).toMatch(/must be owner/);
  });

  test('end with 1 and the reason when the database doesn’t take them', async () => {
    const wrong = addressOf('CHAT').replace(/:[^:@/]+@/, ':wrong@');
    const { code, log } = await run(['node', 'services/chat/dist/migrate.js'], { DATABASE_URL: wrong });
    expect([code, log]).toEqual([1, expect.stringContaining('password authentication failed')]);
  });
});
