import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, startTestPostgres } from '@boardwire/test-kit';
import {
  AdvisoryLock,
  isConnectionError,
  openDatabase,
  provisionSchemas,
  sqlMigration,
  type Database,
} from '../src/index.ts';
import { CuttingProxy } from './cutting-proxy.ts';

type Servers = Awaited<ReturnType<typeof startTestPostgres>>;

const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
const migrations = [
  sqlMigration('CreateNote1700000000000', 'CREATE TABLE note (id bigint PRIMARY KEY, text text NOT NULL)'),
  sqlMigration('CreateSecond1700000000001', 'CREATE TABLE second (id int); INSERT INTO second VALUES (1)'),
];
const wanted = [
  { schema: 'red', role: 'test_red', password: 'red-password' },
  { schema: 'blue', role: 'test_blue', password: 'blue-password' },
];

let servers: Servers;
let urls: Record<string, string>;
let database: Database;

const open = (schema = 'red') => openDatabase({ url: urls[schema]!, schema, migrations, logger });

beforeAll(async () => {
  servers = await startTestPostgres();
  const twice = await Promise.all([
    provisionSchemas(servers.postgres.url, wanted),
    provisionSchemas(servers.postgres.url, wanted),
  ]);
  urls = twice[0];
  database = await open();
});

afterAll(async () => {
  await database.close();
  await servers.stop();
});

describe('schemas', () => {
  it('let each role reach its own and nobody else’s', async () => {
    const blue = await open('blue');
    try {
      await expect(blue.query('SELECT * FROM red.note')).rejects.toThrow(/permission denied/);
      expect(await blue.query('SELECT current_schema() AS schema, current_user AS role')).toEqual([
        { schema: 'blue', role: 'test_blue' },
      ]);
    } finally {
      await blue.close();
    }
  });

  it('are migrated once by replicas that start at the same moment', async () => {
    const schemas = [{ schema: 'green', role: 'test_green', password: 'green' }];
    urls = { ...urls, ...(await provisionSchemas(servers.postgres.url, schemas)) };
    const replicas = await Promise.all([open('green'), open('green'), open('green')]);
    expect(await replicas[2]!.query('SELECT count(*) AS count FROM second')).toEqual([{ count: 1 }]);
    await Promise.all(replicas.map((replica) => replica.close()));
  });
});

describe('a schema that another program migrates', () => {
  const wait = (url: string) => openDatabase({ url, schema: 'violet', migrations, migrate: 'wait', logger });
  const state = (opening: Promise<unknown>) => Promise.race([opening.then(() => 'open'), sleep(700, 'waiting')]);

  it('is waited for until every migration that is known has run', async () => {
    const schemas = [{ schema: 'violet', role: 'test_violet', password: 'violet' }];
    const { violet } = await provisionSchemas(servers.postgres.url, schemas);
    const opening = wait(violet!);
    expect(await state(opening)).toBe('waiting');
    const [first] = migrations;
    await (await openDatabase({ url: violet!, schema: 'violet', migrations: [first!], logger })).close();
    expect(await state(opening)).toBe('waiting');
    await (await openDatabase({ url: violet!, schema: 'violet', migrations, logger })).close();
    const waited = await opening;
    expect(await waited.query('SELECT count(*) AS count FROM second')).toEqual([{ count: 1 }]);
    await waited.close();
  });

  it('may hold migrations of a newer version', async () => {
    const schemas = [{ schema: 'white', role: 'test_white', password: 'white' }];
    const { white } = await provisionSchemas(servers.postgres.url, schemas);
    await (await openDatabase({ url: white!, schema: 'white', migrations, logger })).close();
    const older = migrations.slice(0, 1);
    const opened = await openDatabase({ url: white!, schema: 'white', migrations: older, migrate: 'wait', logger });
    await opened.close();
  });
});

describe('transactions', () => {
  it('roll back what a rejected one wrote', async () => {
    const failing = database.transaction(async (transaction) => {
      await transaction.query('INSERT INTO note VALUES ($1, $2)', [1, 'lost']);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    await database.transaction((transaction) => transaction.query('INSERT INTO note VALUES (2, $1)', ['kept']));
    expect(await database.query('SELECT id, text FROM note')).toEqual([{ id: 2, text: 'kept' }]);
  });
});

describe('a session that ends in the packet in which it is ready', () => {
  it.each([
    ['a statement', (through: Database) => through.query('SELECT 1')],
    ['a transaction', (through: Database) => through.transaction((transaction) => transaction.query('SELECT 1'))],
  ])('refuses %s and ends nothing else', async (_, ask) => {
    const { proxy, url } = await CuttingProxy.start(urls['red']!);
    const through = await openDatabase({ url, schema: 'red', migrations, logger, poolMax: 3 });
    try {
      proxy.isCutting = true;
      // One of them may take the session that is open already.
      const answers = await Promise.allSettled([ask(through), ask(through), ask(through)]);
      expect(proxy.cuts).toBeGreaterThanOrEqual(2);
      const refused = answers.filter((answer) => answer.status === 'rejected');
      expect(refused.length).toBe(proxy.cuts);
      for (const { reason } of refused) expect(isConnectionError(reason)).toBe(true);
      proxy.isCutting = false;
      await eventually(async () => void (await ask(through)));
    } finally {
      await through.close();
      await proxy.stop();
    }
  });
});

describe('with Postgres away', () => {
  it('calls fail promptly as connection errors, and work again after a restart', async () => {
    await servers.postgres.kill();
    const startedMs = Date.now();
    const failures = await Promise.allSettled([
      database.query('SELECT 1'),
      database.transaction((transaction) => transaction.query('SELECT 1')),
      database.dataSource.query('SELECT 1'),
      database.dedicatedClient(),
    ]);
    for (const failure of failures) {
      expect(failure.status === 'rejected' && isConnectionError(failure.reason)).toBe(true);
    }
    expect(Date.now() - startedMs).toBeLessThan(2_000);
    expect(database.healthy()).toBe(false);
    await servers.postgres.start();
    await eventually(() => database.query('SELECT 1'));
    await eventually(() => expect(database.healthy()).toBe(true));
    expect(await database.dataSource.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('a server that is frozen is noticed, and a running statement is given up', async () => {
    await servers.postgres.pause();
    try {
      const frozen = database.prepared({ name: 'one', sql: 'SELECT 1', timeoutMs: 300 }, []);
      expect(isConnectionError(await frozen.catch((error: unknown) => error))).toBe(true);
      await eventually(() => expect(database.healthy()).toBe(false));
    } finally {
      await servers.postgres.resume();
    }
    await eventually(() => expect(database.healthy()).toBe(true));
  });

  it('a restart in the middle of transactions crashes nobody', async () => {
    const stop = new AbortController();
    const seen = { done: 0, failed: [] as unknown[] };
    const work = async () => {
      while (!stop.signal.aborted) {
        await database
          .transaction((transaction) => transaction.query('SELECT pg_sleep(0.01)'))
          .then(() => (seen.done += 1))
          .catch((error: unknown) => seen.failed.push(error));
        await sleep(5);
      }
    };
    const workers = [work(), work(), work()];
    await eventually(() => expect(seen.done).toBeGreaterThan(5));
    await servers.postgres.restart();
    const before = seen.done;
    await eventually(() => expect(seen.done).toBeGreaterThan(before + 5));
    stop.abort();
    await Promise.all(workers);
    expect(seen.failed.filter((error) => !isConnectionError(error))).toEqual([]);
  });
});

describe('leadership', () => {
  it('is one replica’s at a time, and goes over when the leader’s connection dies', async () => {
    const other = await open();
    const stop = new AbortController();
    const leading = new Set<string>();
    let terms = 0;
    const lead = (who: string, replica: Database) =>
      AdvisoryLock.lead(replica, 'relay', stop.signal, async (signal) => {
        leading.add(who);
        terms += 1;
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        leading.delete(who);
      });
    const both = [lead('one', database), lead('two', other)];
    await eventually(() => expect(leading.size).toBe(1));
    await servers.postgres.restart();
    await eventually(() => expect(terms).toBeGreaterThanOrEqual(2), { timeoutMs: 8_000 });
    await eventually(() => expect(leading.size).toBe(1));
    stop.abort();
    await Promise.all(both);
    expect(leading.size).toBe(0);
    await other.close();
  });

  it('passes on what the leader’s work threw', async () => {
    const failing = AdvisoryLock.lead(database, 'failing', new AbortController().signal, () =>
      Promise.reject(new Error('broken work')),
    );
    await expect(failing).rejects.toThrow('broken work');
  });
});
