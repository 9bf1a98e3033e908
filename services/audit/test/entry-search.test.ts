import type { AuditEntry, AuditFilter } from '@boardwire/contracts';
import { seededRandom } from '@boardwire/test-kit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AuditReader } from '../src/reading/audit-reader.ts';
import { EntrySearch } from '../src/reading/entry-search.ts';
import { FacetCounter } from '../src/reading/facets.ts';
import { LogFixture, type Life } from './log-fixture.ts';
import { actors, boards, MixedLog, symbols, traces, words } from './mixed-log.ts';
import { fits } from './naive-filter.ts';

const isLong = process.env['BOARDWIRE_TEST_TIER'] === 'long';
const random = seededRandom();

let fixture: LogFixture;
let life: Life;
let reader: AuditReader;
let log: MixedLog;
let all: AuditEntry[];
beforeAll(async () => {
  fixture = await LogFixture.start();
  life = fixture.live();
  await life.sequencer.whenLeading(new AbortController().signal);
  log = new MixedLog(life, random);
  await log.grow(isLong ? 6_000 : 1_200);
  reader = new AuditReader(fixture.database);
  all = await readAll({}, 'oldest', 500);
}, 60_000);
afterAll(async () => {
  await life?.kill();
  await fixture?.stop();
});

/** Page after page until there is no next. */
async function readAll(
  filter: AuditFilter,
  order: 'newest' | 'oldest',
  limit: number,
  between: () => Promise<void> = async () => undefined,
): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  for (let next: string | null | undefined; next !== null;) {
    const page = await reader.entries({ filter, order, limit, behind: next === undefined ? undefined : Number(next) });
    entries.push(...page.entries);
    next = page.next;
    await between();
  }
  return entries;
}

const seqs = (entries: readonly AuditEntry[]) => entries.map(({ seq }) => seq);

/** One condition of each kind, with values that are there and values that are not. */
function condition(name: keyof AuditFilter): AuditFilter {
  const some = (values: readonly string[]) => random.shuffle(values).slice(0, random.integer(1, 2)) as never;
  const entry = random.pick(all);
  const at = (hours: number) => new Date(Date.parse(entry.time) + hours * 3_600_000).toISOString();
  const values: { [K in keyof Required<AuditFilter>]: () => AuditFilter[K] } = {
    day: () => some([entry.day, random.pick(all).day, '2001-01-01']),
    board: () => some([...boards, 'none']),
    subject: () =>
      random.pick(['>', 'room.>', 'room.*', '*', '*.*.*', 'room.*.>', 'room.b_c.*', '*.lobby', 'room', 'x']),
    actor: () => some([...actors, '']),
    site: () => some(['bs1here', 'bs1there', 'gateway', 'x']),
    peer: () => some(['bs1here', 'bs1peer', 'x']),
    kind: () => some(['event', 'decision']),
    action: () => some(['publish', 'login', 'trading.decision', 'scored']),
    outcome: () => some(['done', 'refused', 'failed']),
    type: () => some(['chat.message', 'scored', 'login']),
    readiness: () => some(['OK', 'WARN', 'ERROR']),
    symbol: () => random.pick([...symbols, 'btc', '_', '%', 'ÄR']),
    forced_hold: () => random.integer(0, 1) === 1,
    trace: () => some([...traces, 'c3'.repeat(16)]),
    event_id: () => some([entry.event_id ?? 'e1', 'e7', 'e']),
    hash: () => some([entry.datahash!, entry.leaf_hash, 'ab'.repeat(32)]),
    from: () => at(random.integer(-1, 1)),
    to: () => at(random.integer(-1, 1)),
    q: () => random.pick([...words, 'HELLO', 'числО', 'bs1HERE', '%', '_', '"', '\\', 'ana', 'zzz']),
  };
  return { [name]: values[name]() };
}

const names = [
  ...(['day', 'board', 'subject', 'actor', 'site', 'peer', 'kind', 'action', 'outcome', 'type', 'readiness'] as const),
  ...(['symbol', 'forced_hold', 'trace', 'event_id', 'hash', 'from', 'to', 'q'] as const),
];

describe('a search', () => {
  test('answers in the log’s order what is in the log', () => {
    expect(seqs(all)).toEqual(all.map((_, seq) => seq));
    expect(new Set(all.map(({ kind }) => kind))).toEqual(new Set(['event', 'decision']));
    expect(new Set(all.map(({ detail_state: state }) => state))).toEqual(new Set(['held', 'redacted']));
  });

  test.each(names)('by %s agrees with the plain filter', async (name) => {
    for (let round = 0; round < (isLong ? 40 : 6); round += 1) {
      const filter = condition(name);
      const expected = seqs(all.filter((entry) => fits(entry, filter)));
      expect([filter, seqs(await readAll(filter, 'oldest', 500))]).toEqual([filter, expected]);
    }
  });

  test('by any conditions together agrees with the plain filter, page by page, from both ends', async () => {
    for (let round = 0; round < (isLong ? 400 : 30); round += 1) {
      const chosen = random.shuffle(names).slice(0, random.integer(1, 4));
      const filter = Object.assign({}, ...chosen.map(condition)) as AuditFilter;
      const expected = seqs(all.filter((entry) => fits(entry, filter)));
      const limit = random.integer(1, 80);
      expect([filter, seqs(await readAll(filter, 'oldest', limit))]).toEqual([filter, expected]);
      expect([filter, seqs(await readAll(filter, 'newest', limit))]).toEqual([filter, expected.toReversed()]);
    }
  }, 120_000);

  test('that runs out of time hands over what it has, and goes on from there', async () => {
    const hasty = new EntrySearch(fixture.database, 0);
    const filter: AuditFilter = { q: 'zzz' };
    const { rows, next, size } = await hasty.page({ filter, order: 'newest', limit: 10 });
    expect(rows).toEqual([]);
    // The first stretch covers a log as small as this one whole, unless the run is a long one.
    expect(next).toBe(size > 2_048 ? size - 2_048 : null);
  });

  test('whose details are large ends its page early, and misses nothing', async () => {
    const before = await reader.size();
    const text = 'x'.repeat(60_000);
    const large = Array.from({ length: 300 }, (_, at) => ({
      number: at + 1,
      action: 'large',
      outcome: 'done' as const,
      actor: 'x',
      at: '2026-11-01T12:00:00Z',
      detail: { text },
    }));
    await life.inbox.receive({ service: 'large', decisions: large });
    await log.take();
    const filter: AuditFilter = { action: ['large'] };
    const page = await reader.entries({ filter, order: 'oldest', limit: 300 });
    expect(page.entries.length).toBeLessThan(300);
    const expected = large.map((_, at) => before + at);
    expect(seqs(await readAll(filter, 'oldest', 300))).toEqual(expected);
    expect(seqs(await readAll(filter, 'newest', 300))).toEqual(expected.toReversed());
  });
});

describe('pages, while the log grows,', () => {
  test('repeat nothing and skip nothing, forwards and backwards', async () => {
    for (const order of ['oldest', 'newest'] as const) {
      for (const filter of [{}, { kind: ['event' as const] }, { board: ['events'] }, { outcome: ['refused'] }]) {
        const before = await reader.size();
        let left = 12;
        const grow = async () => {
          left -= 1;
          if (left >= 0) await log.grow(25);
        };
        const growing = (async () => {
          while (left > 0) await grow();
        })();
        const found = await readAll(filter, order, 97);
        await growing;
        const now = await readAll(filter, 'oldest', 500);
        const expected = seqs(now).filter((seq) => seq < before);
        const ordered = order === 'newest' ? seqs(found).toReversed() : seqs(found);
        expect(ordered.filter((seq) => seq < before)).toEqual(expected);
        // What came meanwhile may be there, but never with a hole.
        expect(ordered).toEqual(seqs(now).slice(0, ordered.length));
      }
    }
  }, 60_000);
});

describe('facets', () => {
  test('count what a search finds', async () => {
    const counter = new FacetCounter(fixture.database);
    const now = await readAll({}, 'oldest', 500);
    for (let round = 0; round < 20; round += 1) {
      const filter = Object.assign(
        {},
        ...random.shuffle(names).slice(0, random.integer(0, 2)).map(condition),
      ) as AuditFilter;
      const matching = now.filter((entry) => fits(entry, filter));
      const { facets, counted, is_complete: isComplete } = await counter.facets(filter);
      expect([filter, counted, isComplete]).toEqual([filter, matching.length, true]);
      const count = (of: (entry: AuditEntry) => string | null) => {
        const counts: Record<string, number> = {};
        for (const value of matching.map(of)) if (value !== null) counts[value] = (counts[value] ?? 0) + 1;
        return counts;
      };
      const told = (values: { value: string; count: number }[]) =>
        Object.fromEntries(values.map(({ value, count: number }) => [value, number]));
      expect(told(facets.kind)).toEqual(count(({ kind }) => kind));
      expect(told(facets.action)).toEqual(count(({ action }) => action));
      expect(told(facets.outcome)).toEqual(count(({ outcome }) => outcome));
      expect(told(facets.board)).toEqual(count(({ board }) => board));
      expect(told(facets.actor)).toEqual(count(({ actor }) => actor));
      expect(told(facets.site)).toEqual(count(({ origin }) => origin));
      expect(told(facets.type)).toEqual(count(({ type }) => type));
      expect(told(facets.readiness)).toEqual(count(({ readiness }) => readiness));
      for (const values of Object.values(facets)) {
        const counts = values.map((value) => value.count);
        expect(counts).toEqual(counts.toSorted((left, right) => right - left));
      }
    }
  });
});

test('days of one board are counted for themselves', async () => {
  const now = await readAll({}, 'oldest', 500);
  for (const board of boards) {
    const counts = new Map<string, number>();
    for (const { day } of now.filter((entry) => entry.board === board)) counts.set(day, (counts.get(day) ?? 0) + 1);
    const days = await reader.days(board);
    expect(days.filter(({ entries }) => entries > 0)).toEqual(
      [...counts].map(([day, entries]) => ({ day, entries })).sort((left, right) => (left.day < right.day ? 1 : -1)),
    );
  }
  expect(await reader.days('nowhere')).toEqual([]);
});

test('the facts out of a detail go with the detail', async () => {
  const [entry] = (await reader.entries({ filter: { readiness: ['ERROR'] }, order: 'newest', limit: 1 })).entries;
  expect(entry).toMatchObject({ readiness: 'ERROR', detail_state: 'held' });
  await fixture.database.query('DELETE FROM detail WHERE seq = $1', [entry!.seq]);
  expect(await reader.entry(entry!.seq)).toMatchObject({
    readiness: null,
    symbol: null,
    forced_hold: null,
    detail_state: 'expired',
    detail: null,
  });
  const { entries } = await reader.entries({ filter: { readiness: ['ERROR'] }, order: 'newest', limit: 500 });
  expect(seqs(entries)).not.toContain(entry!.seq);
});

test('neighbours are the entries around one', async () => {
  expect(seqs((await reader.neighbours(50, 5))!.entries)).toEqual([48, 49, 50, 51, 52]);
  expect(seqs((await reader.neighbours(0, 5))!.entries)).toEqual([0, 1, 2, 3, 4]);
  expect(await reader.neighbours(10_000_000, 5)).toBeUndefined();
});
