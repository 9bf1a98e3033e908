import { eventually, seededRandom } from '@boardwire/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { treeRoot } from '@boardwire/signing';
import pg from 'pg';
import { hashReader } from '../src/log/hash-reader.ts';
import type { Probe } from '../src/log/sequencer.ts';
import { LogDamaged } from '../src/log/stored-log.ts';
import { epoch, eventAt, LogFixture, readerOver, type Life } from './log-fixture.ts';

let fixture: LogFixture;
let lives: Life[] = [];

beforeAll(async () => {
  fixture = await LogFixture.start();
});
afterAll(() => fixture.stop());
beforeEach(async () => {
  await asSuperuser(`SET session_replication_role = replica; TRUNCATE audit.tree, audit.entry, audit.detail, audit.leaf,
    audit.tile, audit.checkpoint, audit.mark, audit.day_count, audit.gap`);
});
afterEach(async () => {
  await Promise.all(lives.splice(0).map((life) => life.kill()));
});

function live(probe?: Probe): Life {
  const life = fixture.live(probe);
  lives.push(life);
  return life;
}

const numbers = (count: number) => Array.from({ length: count }, (_, at) => at + 1);
const gaps = () =>
  fixture.database.query<{ first: number; last: number }>('SELECT first, last FROM gap ORDER BY first');

describe('appending', () => {
  test('every entry of several boards is in the log once, in each board’s order, and in the signed tree', async () => {
    const life = live();
    await Promise.all(['a', 'b', 'c'].map((board) => life.submit(board, 1, 700)));
    await life.checkpointer.finish();
    const { size, boards } = await fixture.verifyWhole();
    expect(size).toBe(2_100);
    for (const board of ['a', 'b', 'c']) expect(boards.get(board)).toEqual(numbers(700));
  });

  test('what was submitted before is dropped', async () => {
    const life = live();
    await life.submit('a', 1, 10);
    await life.submit('a', 5, 12);
    await life.checkpointer.finish();
    expect((await fixture.verifyWhole()).boards.get('a')).toEqual(numbers(12));
    expect(await gaps()).toEqual([]);
  });

  test('a hole is recorded as a gap with the entry behind it, counted and logged', async () => {
    const life = live();
    await life.submit('a', 1, 3);
    await life.submit('a', 7, 9);
    expect(await gaps()).toEqual([{ first: 4, last: 6 }]);
    expect(await life.metrics.registry.getSingleMetricAsString('boardwire_audit_gaps')).toMatch(
      /boardwire_audit_gaps 1/,
    );
  });

  test('a new epoch counts from 1 again, and the tail that was lost with the former one is a gap', async () => {
    const life = live();
    const sync = (of: string, head: number) =>
      life.intake.onControl({
        version: '1',
        full: true,
        boards: [{ slug: 'a', id: 1, epoch: of, epochOrdinal: 0, head, relayed: 0, timeZone: 'UTC', rules: [] }],
        removedBoards: [],
        revocations: [],
      });
    await life.intake.onEpoch('a', { epoch, ordinal: 0, head: 5, previous: undefined });
    sync(epoch, 5);
    await life.submit('a', 1, 3);
    sync('bbbbbbbb', 5);
    await life.intake.onEpoch('a', { epoch: 'bbbbbbbb', ordinal: 1, head: 5, previous: epoch });
    await life.intake.onEvents('a', [eventAt('a', 1, { epoch: 'bbbbbbbb' })]);
    expect(await gaps()).toEqual([{ first: 4, last: 5 }]);
    expect(await fixture.database.query('SELECT epoch, seq FROM mark ORDER BY epoch')).toEqual([
      { epoch, seq: 3 },
      { epoch: 'bbbbbbbb', seq: 1 },
    ]);
  });

  test('what a board has lost of an epoch that is audited stands as a gap of it', async () => {
    const life = live();
    await life.intake.onEpoch('a', { epoch, ordinal: 0, head: 9, previous: undefined });
    await life.submit('a', 1, 9);
    await life.intake.onEpoch('a', { epoch: 'bbbbbbbb', ordinal: 1, head: 6, previous: epoch });
    expect(await gaps()).toEqual([{ first: 7, last: 9 }]);
  });

  test('details keep every character, also those that Postgres’ text and jsonb refuse', async () => {
    const bytes = Buffer.from(String.raw`{"id":"x","data":{"t":"\u0000 \ud83d 1.50 é"},  "n":1.10}`);
    const life = live();
    await life.intake.onEvents('a', [eventAt('a', 1, { bytes })]);
    const [row] = await fixture.database.query<{ body: string }>('SELECT body FROM detail');
    expect(row!.body).toBe(bytes.toString());
    expect((await readerOver(fixture).entry(0))?.detail).toMatchObject({ n: 1.1 });
  });

  test('an event of 64 KiB, five hundred times at once, goes in', async () => {
    const life = live();
    const bytes = Buffer.from(JSON.stringify({ id: 'x', data: 'é'.repeat(30_000) }));
    await life.intake.onEvents(
      'a',
      numbers(500).map((seq) => eventAt('a', seq, { bytes })),
    );
    expect(await readerOver(fixture).size()).toBe(500);
  });

  test('entries stand on the day of their commit in their board’s zone', async () => {
    const life = live();
    const board = { slug: 'a', id: 1, epoch, epochOrdinal: 0, head: 2, relayed: 0, timeZone: 'Europe/Rome', rules: [] };
    life.intake.onControl({ version: '1', full: true, boards: [board], removedBoards: [], revocations: [] });
    await life.intake.onEvents('a', [
      eventAt('a', 1, { committedMs: Date.UTC(2026, 5, 30, 21, 30) }),
      eventAt('a', 2, { committedMs: Date.UTC(2026, 5, 30, 22, 30) }),
      eventAt('a', 3, { committedMs: Date.UTC(2026, 6, 3, 10) }),
    ]);
    const reader = readerOver(fixture);
    expect((await reader.day('2026-06-30', { after: -1, limit: 10 })).entries.map(({ seq }) => seq)).toEqual([0]);
    expect((await reader.day('2026-07-01', { after: -1, limit: 10 })).entries[0]).toMatchObject({
      seq: 1,
      time_zone: 'Europe/Rome',
    });
    expect(await reader.days()).toEqual([
      { day: '2026-07-03', entries: 1 },
      { day: '2026-07-02', entries: 0 },
      { day: '2026-07-01', entries: 1 },
      { day: '2026-06-30', entries: 1 },
    ]);
  });
});

describe('crashes', () => {
  test('connections cut in the middle of appends leave every event in the log once', async () => {
    const random = seededRandom();
    const life = live();
    const cutting = new AbortController();
    const cutter = (async () => {
      while (!cutting.signal.aborted) {
        await asSuperuser(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'boardwire_audit' AND state = 'active'`,
        );
        await new Promise((resolve) => setTimeout(resolve, random.integer(5, 40)));
      }
    })();
    for (let from = 1; from <= 3_000; from += 100) {
      await eventually(() => life.submit('a', from, from + 99), { timeoutMs: 10_000, everyMs: 5 });
    }
    cutting.abort();
    await cutter;
    await eventually(() =>
      life.sequencer.committed === undefined ? Promise.reject(new Error('not leading')) : life.checkpointer.finish(),
    );
    expect((await fixture.verifyWhole()).boards.get('a')).toEqual(numbers(3_000));
  }, 60_000);

  test('a restart of Postgres under load costs time and nothing else', async () => {
    const life = live();
    const done = (async () => {
      for (let from = 1; from <= 3_000; from += 50) {
        await eventually(() => life.submit('a', from, from + 49), { timeoutMs: 20_000 });
      }
    })();
    await eventually(async () => expect(await readerOver(fixture).size()).toBeGreaterThan(200));
    await fixture.server.postgres.restart();
    await done;
    await eventually(() => life.checkpointer.finish());
    expect((await fixture.verifyWhole()).boards.get('a')).toEqual(numbers(3_000));
  }, 60_000);

  test('two leaders at once, as after a lost connection, never both append at one place', async () => {
    const [left, right] = [live(), live()];
    const submit = (life: Life, board: string) => async () => {
      for (let from = 1; from <= 400; from += 20) {
        await eventually(() => life.submit(board, from, from + 19), { timeoutMs: 10_000, everyMs: 1 });
        await life.checkpointer.finish().catch(() => undefined);
      }
    };
    await Promise.all([submit(left, 'a')(), submit(right, 'b')()]);
    await eventually(() => left.checkpointer.finish());
    const { boards } = await fixture.verifyWhole();
    expect(boards.get('a')).toEqual(numbers(400));
    expect(boards.get('b')).toEqual(numbers(400));
    await expectCheckpointsConsistent();
  }, 60_000);
});

describe('the stored log', () => {
  test.each(['entry', 'entry_2026_11_01', 'leaf', 'tile', 'checkpoint'])(
    'refuses every change of %s',
    async (table) => {
      const life = live();
      await life.submit('a', 1, 300);
      await life.checkpointer.finish();
      for (const sql of [`DELETE FROM ${table}`, `TRUNCATE ${table}`, `UPDATE ${table} SET ${columnOf(table)}`]) {
        await expect(fixture.database.query(sql)).rejects.toThrow(/only grows/);
      }
    },
  );

  test('lets details be forgotten, and the proof still holds', async () => {
    const life = live();
    await life.submit('a', 1, 3);
    await life.checkpointer.finish();
    await fixture.database.query('DELETE FROM detail WHERE seq = 1');
    expect((await readerOver(fixture).entry(1))?.detail).toBeNull();
    await fixture.verifyWhole();
  });

  test.each([
    ['a leaf was changed', `UPDATE audit.leaf SET hashes = overlay(hashes PLACING '\\x00' FROM 5)`],
    ['a leaf was taken out', `DELETE FROM audit.leaf WHERE first_seq > 256`],
    ['the size was set back', `UPDATE audit.tree SET size = 0, edge = ''`],
    ['a tile was changed', `UPDATE audit.tile SET root = overlay(root PLACING '\\x00' FROM 5)`],
    ['a checkpoint was changed', `UPDATE audit.checkpoint SET root = overlay(root PLACING '\\x00' FROM 5)`],
  ])('is not appended to when %s by a superuser', async (_, sql) => {
    const life = live();
    for (const to of [100, 200, 270, 280, 290, 300]) await life.submit('a', 1, to);
    await life.checkpointer.finish();
    await life.kill();
    await asSuperuser(`SET session_replication_role = replica; ${sql}`);
    await expect(live().ended).rejects.toThrow(LogDamaged);
  });
});

/** Every signed root is the root of that many leaves; a fork would show as one that isn't. */
async function expectCheckpointsConsistent(): Promise<void> {
  const signed = await fixture.database.query<{ size: number; root: Buffer; note: string }>('SELECT * FROM checkpoint');
  expect(signed.length).toBeGreaterThan(0);
  for (const { size, root } of signed) expect(await treeRoot(size, hashReader(fixture.database))).toEqual(root);
}

async function asSuperuser(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: fixture.server.postgres.url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

function columnOf(table: string): string {
  return { leaf: 'first_seq = 1', tile: 'level = 1', checkpoint: 'size = 1' }[table] ?? `actor = 'nobody'`;
}
