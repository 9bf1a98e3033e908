import { provisionSchemas, type Database } from '@boardwire/database';
import { createLogger } from '@boardwire/service-kit';
import { startTestPostgres, type TestInfrastructure } from '@boardwire/test-kit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { asRetention } from '../src/database/as-retention.ts';
import { openAuditDatabase } from '../src/database/open-audit-database.ts';
import { loadCheckpointKey } from '../src/log/checkpoint-key.ts';
import { NameSummaries } from '../src/log/name-summaries.ts';
import { Life } from './log-fixture.ts';

const logger = createLogger({ service: 'test', level: 'silent' });
const logged = [
  'entry',
  'entry_2026_11_01',
  'leaf',
  'tile',
  'checkpoint',
  'cosignature',
  'former_epoch',
  'redaction',
  'dropped_records',
];

const changes: Record<string, string> = { leaf: 'first_seq = 1', tile: 'level = 1', former_epoch: 'kept = 0' };

let server: Pick<TestInfrastructure, 'postgres' | 'stop'>;
let database: Database;
let retentionRole: string | undefined;
let life: Life;
let url: string;

beforeAll(async () => {
  server = await startTestPostgres();
  const wanted = {
    schema: 'audit',
    role: 'boardwire_audit',
    password: 'p',
    runner: { role: 'boardwire_audit_append', password: 'q', mayBecome: ['boardwire_audit_retention'] },
  };
  const urls = await provisionSchemas(server.postgres.url, [wanted]);
  url = urls['audit/runner']!;
  const options = { url, ownerUrl: urls['audit'], poolMax: 5, logger };
  // Replicas start together.
  const [first, second] = await Promise.all([openAuditDatabase(options), openAuditDatabase(options)]);
  await second.database.close();
  ({ database, retentionRole } = first);
  life = new Life({ database, key: await loadCheckpointKey(database, undefined) });
  await life.submit('a', 1, 300);
  await life.checkpointer.finish();
});
afterAll(async () => {
  await life.kill();
  await database.close();
  await server.stop();
});

const asked = (sql: string) =>
  database.query(sql).then(
    () => 'done',
    (error: Error) => error.message,
  );
const forgetting = (sql: string) =>
  database
    .transaction((transaction) => asRetention(transaction, retentionRole, () => transaction.query(sql)))
    .then(
      () => 'done',
      (error: Error) => error.message,
    );

describe('a service that doesn’t know the owner', () => {
  test('waits for the migration, then runs as the same roles', async () => {
    const { username, password, host } = new URL(url);
    const runner = `postgres://${username}:${password}@${host}/postgres`;
    const opened = await openAuditDatabase({ url: runner, ownerUrl: undefined, migrate: 'wait', poolMax: 1, logger });
    expect(opened.retentionRole).toBe(retentionRole);
    expect(await opened.database.query('SELECT current_user AS role')).toEqual([{ role: 'boardwire_audit_append' }]);
    await opened.database.close();
  });
});

describe('the running service', () => {
  test('appends and signs', async () => {
    expect(await database.query('SELECT current_user AS role, size FROM tree')).toEqual([
      { role: 'boardwire_audit_append', size: 300 },
    ]);
    expect(await database.query('SELECT size FROM checkpoint')).toEqual([{ size: 300 }]);
  });

  test('keeps what names are found by up to what it has appended', async () => {
    const summarized = async () => {
      const days = await database.query<{ ranges: number }>('SELECT summarize_names(day) AS ranges FROM day_count');
      return days.reduce((sum, { ranges }) => sum + ranges, 0);
    };
    await life.submit('a', 301, 1_500);
    expect(await summarized()).toBeGreaterThan(0);
    const names = new NameSummaries({ database, isLeading: () => true, logger });
    await life.submit('a', 1_501, 3_000);
    await names.look();
    expect(await summarized()).toBe(0);
    const [{ rows }] = (await database.query<{ rows: number }>(
      `SELECT reltuples::int AS rows FROM pg_class WHERE relname = 'entry_2026_11_01'`,
    )) as [{ rows: number }];
    expect(rows).toBeGreaterThan(1_500);
  });

  test.each(logged)('can neither change nor empty %s, nor take its triggers away', async (table) => {
    for (const sql of [
      `UPDATE ${table} SET ${changes[table] ?? 'at = now()'}`,
      `DELETE FROM ${table}`,
      `TRUNCATE ${table}`,
      `ALTER TABLE ${table} DISABLE TRIGGER ALL`,
      `DROP TRIGGER refuse_change ON ${table}`,
      `DROP TABLE ${table}`,
    ]) {
      expect([sql, await asked(sql)]).toEqual([sql, expect.stringMatching(/permission denied|must be owner/)]);
    }
  });

  test('can’t put the triggers to sleep, become the owner, or make tables', async () => {
    expect(await asked('SET session_replication_role = replica')).toMatch(/permission denied/);
    expect(await asked('SET ROLE boardwire_audit')).toMatch(/permission denied/);
    expect(await asked('CREATE TABLE mine (id int)')).toMatch(/permission denied/);
    expect(
      await asked(
        'CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$',
      ),
    ).toMatch(/permission denied|must be owner/);
  });

  test('deletes no detail by itself, and drops no day', async () => {
    expect(await asked('DELETE FROM detail')).toMatch(/permission denied/);
    expect(await asked(`SELECT drop_day('2026-11-01')`)).toMatch(/permission denied/);
  });
});

describe('the role that forgets', () => {
  test('deletes details and nothing else', async () => {
    expect(await forgetting('DELETE FROM detail WHERE seq = 7')).toBe('done');
    expect(await database.query('SELECT seq FROM detail WHERE seq IN (6, 7, 8) ORDER BY seq')).toEqual([
      { seq: 6 },
      { seq: 8 },
    ]);
    for (const table of ['entry', 'leaf', 'tile', 'checkpoint', 'mark', 'decision_inbox', 'gap', 'former_epoch']) {
      expect(await forgetting(`DELETE FROM ${table}`)).toMatch(/permission denied/);
    }
    expect(await forgetting(`UPDATE detail SET body = '{}'`)).toMatch(/permission denied/);
    expect(await forgetting(`INSERT INTO detail (seq, body) VALUES (7, '{}')`)).toMatch(/permission denied/);
    expect(await forgetting('TRUNCATE detail')).toMatch(/permission denied/);
    expect(await forgetting('SELECT seed FROM checkpoint_key')).toMatch(/permission denied/);
  });

  test('drops no day that is not over', async () => {
    expect(await forgetting('SELECT drop_day(current_date)')).toMatch(/is not over/);
  });
});

test('where the service owns its tables, triggers still refuse every change', async () => {
  const urls = await provisionSchemas(server.postgres.url, [
    { schema: 'audit', role: 'boardwire_audit', password: 'p' },
  ]);
  const alone = await openAuditDatabase({ url: urls['audit']!, ownerUrl: undefined, poolMax: 2, logger });
  try {
    expect(alone.retentionRole).toBeUndefined();
    await expect(alone.database.query('DELETE FROM entry')).rejects.toThrow(/only grows/);
  } finally {
    await alone.database.close();
  }
});
