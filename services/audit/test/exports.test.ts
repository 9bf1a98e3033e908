import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import {
  auditDayTrailerSchema,
  auditEntrySchema,
  auditExportQuerySchema,
  auditExportTrailerSchema,
  type AuditEntry,
} from '@boardwire/contracts';
import { seededRandom } from '@boardwire/test-kit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { commaSeparated } from '../src/exporting/comma-separated.ts';
import { Exporter, type Download } from '../src/exporting/exporter.ts';
import { canonicalJson } from '@boardwire/signing';
import { AuditReader } from '../src/reading/audit-reader.ts';
import { entryMembers, type QuotedRow } from '../src/reading/entry-line.ts';
import { eventAt, LogFixture, type Life } from './log-fixture.ts';
import { MixedLog } from './mixed-log.ts';
import { fits } from './naive-filter.ts';

const isLong = process.env['BOARDWIRE_TEST_TIER'] === 'long';

let fixture: LogFixture;
let life: Life;
let log: MixedLog;
let exporter: Exporter;
let all: AuditEntry[];
beforeAll(async () => {
  fixture = await LogFixture.start();
  life = fixture.live();
  await life.sequencer.whenLeading(new AbortController().signal);
  log = new MixedLog(life, seededRandom());
  await log.grow(2_500);
  exporter = new Exporter(fixture.database);
  const reader = new AuditReader(fixture.database);
  all = [];
  for (let behind: number | undefined; all.length < 2_500; behind = all.length - 1) {
    all.push(...(await reader.entries({ filter: {}, order: 'oldest', behind, limit: 500 })).entries);
  }
}, 60_000);
afterAll(async () => {
  await life?.kill();
  await fixture?.stop();
});

async function bytesOf({ body }: Download): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The entries of a file, once its last line has been found true. */
function opened(bytes: Buffer): { entries: AuditEntry[]; trailer: Record<string, unknown> } {
  expect(bytes.at(-1)).toBe(10);
  const start = bytes.lastIndexOf(10, bytes.length - 2) + 1;
  const { trailer } = JSON.parse(bytes.subarray(start).toString()) as { trailer: Record<string, unknown> };
  expect(trailer['sha256']).toBe(createHash('sha256').update(bytes.subarray(0, start)).digest('hex'));
  const lines = bytes.subarray(0, start).toString().split('\n').slice(0, -1);
  const entries = lines.map((line) => auditEntrySchema.parse(JSON.parse(line)));
  expect(trailer['entries']).toBe(entries.length);
  return { entries, trailer };
}

const exported = (query: Record<string, string>) => exporter.export(auditExportQuerySchema.parse(query), query);

describe('a day', () => {
  test('is a file of its entries, oldest first, with a trailer that proves it whole', async () => {
    for (const day of new Set(all.map((entry) => entry.day))) {
      const download = await exporter.day(day, { isZipped: false });
      expect(download).toMatchObject({ contentType: 'application/x-ndjson', fileName: `audit-${day}.jsonl` });
      const bytes = await bytesOf(download);
      const { entries, trailer } = opened(bytes);
      const expected = all.filter((entry) => entry.day === day);
      expect(entries).toEqual(expected);
      expect(auditDayTrailerSchema.parse({ trailer }).trailer).toMatchObject({
        day,
        first_seq: expected[0]!.seq,
        last_seq: expected.at(-1)!.seq,
        size: all.length,
      });
      const zipped = await exporter.day(day, { isZipped: true });
      expect(zipped.fileName).toBe(`audit-${day}.jsonl.gz`);
      expect(gunzipSync(await bytesOf(zipped)).equals(bytes)).toBe(true);
    }
  });

  test('without entries is a trailer alone', async () => {
    const { entries, trailer } = opened(await bytesOf(await exporter.day('2001-01-01', { isZipped: false })));
    expect(entries).toEqual([]);
    expect(trailer).toMatchObject({ entries: 0, first_seq: null, last_seq: null });
  });
});

describe('an export', () => {
  test.each([{}, { kind: 'decision' }, { board: 'events', q: 'hello' }, { symbol: 'btc', order: 'newest' }])(
    'of %j holds what the filter matches',
    async (query: Record<string, string>) => {
      const { entries, trailer } = opened(await bytesOf(await exported(query)));
      const { order, format: _format, ...filter } = auditExportQuerySchema.parse(query);
      const expected = all.filter((entry) => fits(entry, filter));
      expect(entries).toEqual(order === 'newest' ? expected.toReversed() : expected);
      expect(auditExportTrailerSchema.parse({ trailer }).trailer.filter).toEqual(query);
    },
  );

  test('holds what the log held when it was begun', async () => {
    const { body } = await exported({});
    const size = all.length;
    await log.grow(60);
    const { entries, trailer } = opened(await bytesOf({ body, contentType: '', fileName: '' }));
    expect([entries.length, trailer['size']]).toEqual([size, size]);
  });

  test('that is cut has no trailer, and makes room for the next', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { body } = await exported({});
      for await (const chunk of body) {
        expect((chunk as Buffer).toString()).not.toContain('"trailer"');
        break;
      }
      expect(body.destroyed).toBe(true);
    }
    await sleep(0);
    opened(await bytesOf(await exported({})));
  });

  test('beyond four at once is refused for the moment', async () => {
    const open = await Promise.all(Array.from({ length: 4 }, () => exported({})));
    await expect(exported({})).rejects.toMatchObject({ code: 'overloaded' });
    for (const { body } of open) body.destroy();
    await sleep(10);
    (await exported({})).body.destroy();
  });

  test('as CSV has every field, quoted as RFC 4180 has it', async () => {
    const text = (await bytesOf(await exported({ format: 'csv' }))).toString();
    const [header, ...rows] = parseCsv(text);
    expect(header).toEqual(entryMembers);
    expect(header).toContain('detail');
    expect(rows.slice(0, all.length)).toEqual(
      all.map((entry) =>
        entryMembers.map((column) => {
          const value = entry[column];
          if (value === null) return '';
          if (typeof value === 'object' || column === 'detail') return JSON.stringify(value);
          return String(value).replace(/^[=+\-@]/, `'$&`);
        }),
      ),
    );
  });

  test('as CSV holds nothing that a spreadsheet takes for a formula', async () => {
    const record = canonicalJson({
      ...JSON.parse(all[0]!.record),
      kind: 'event',
      actor: '=cmd|calc',
      subject: '@x',
      type: '\t=1',
    });
    const row: QuotedRow = {
      seq: 0,
      record,
      leafHash: '0'.repeat(64),
      isHeld: false,
      redacted: false,
      symbol: '+1',
      peer: '-1',
      trace: null,
      readiness: null,
      forced_hold: null,
      quotedRecord: record.replaceAll('"', '""'),
      quotedBody: null,
    };
    async function* pages() {
      yield [row];
    }
    const chunks: string[] = [];
    for await (const chunk of commaSeparated(pages())) chunks.push(chunk.toString());
    const [header, fields] = parseCsv(chunks.join(''));
    const field = (name: string) => fields![header!.indexOf(name)];
    expect(['actor', 'symbol', 'peer', 'subject', 'type'].map(field)).toEqual([
      "'=cmd|calc",
      "'+1",
      "'-1",
      "'@x",
      "'\t=1",
    ]);
  });

  test('takes the same memory however long it is', async () => {
    const rows = isLong ? 150_000 : 6_000;
    const text = 'x'.repeat(800);
    for (let first = 1; first <= rows; first += 500) {
      const bytes = (seq: number) => Buffer.from(JSON.stringify({ id: `m${seq}`, data: { text } }));
      const events = Array.from({ length: 500 }, (_, at) => eventAt('many', first + at, { bytes: bytes(first + at) }));
      await life.intake.onEvents('many', events);
    }
    const { body } = await exported({ board: 'many' });
    // By halves: what the first one needed must do for the second, however long it is.
    const peaks = [0, 0];
    let total = 0;
    for await (const chunk of body) {
      const half = total < rows * 800 ? 0 : 1;
      total += (chunk as Buffer).length;
      peaks[half] = Math.max(peaks[half]!, process.memoryUsage().rss);
    }
    expect(total).toBeGreaterThan(rows * 1_500);
    expect(peaks[1]! - peaks[0]!).toBeLessThan(96 * 1024 * 1024);
  }, 180_000);
});

/** RFC 4180, as a reader of other people's files has it. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const token = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    row.push(match[1]?.replaceAll('""', '"') ?? match[2]!);
    if (match[3] === '\r\n') {
      rows.push(row);
      row = [];
    }
  }
  expect(row).toEqual([]);
  return rows;
}
