import { setTimeout as sleep } from 'node:timers/promises';
import { auditEntrySchema, type AuditFilter } from '@boardwire/contracts';
import { eventually, seededRandom } from '@boardwire/test-kit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Readable } from 'node:stream';
import { AuditReader } from '../src/reading/audit-reader.ts';
import { Tails } from '../src/tailing/tails.ts';
import { LogFixture, type Life } from './log-fixture.ts';
import { MixedLog } from './mixed-log.ts';

let fixture: LogFixture;
let life: Life;
let log: MixedLog;
const stopping = new AbortController();
const random = seededRandom();
beforeAll(async () => {
  fixture = await LogFixture.start();
  life = fixture.live();
  await life.sequencer.whenLeading(new AbortController().signal);
  log = new MixedLog(life, random);
  await log.grow(800);
}, 60_000);
afterAll(async () => {
  stopping.abort();
  await life?.kill();
  await fixture?.stop();
});

const tailsWith = (more: object = {}) => new Tails({ database: fixture.database, signal: stopping.signal, ...more });

/** What a tail has brought so far, and the last id that it named. */
function reading(body: Readable) {
  const seen = { seqs: [] as number[], lastId: undefined as number | undefined, text: '' };
  body.setEncoding('utf8');
  body.on('error', () => undefined);
  body.on('data', (chunk: string) => {
    seen.text += chunk;
    const blocks = seen.text.split('\n\n');
    seen.text = blocks.pop()!;
    for (const block of blocks) {
      const id = /^id: (\d+)$/m.exec(block)?.[1];
      if (id !== undefined) seen.lastId = Number(id);
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (data === undefined) continue;
      expect(block).toMatch(/^event: entry$/m);
      seen.seqs.push(auditEntrySchema.parse(JSON.parse(data)).seq);
    }
  });
  return seen;
}

async function matching(filter: AuditFilter): Promise<number[]> {
  const reader = new AuditReader(fixture.database);
  const seqs: number[] = [];
  for (let behind: number | undefined; ;) {
    const page = await reader.entries({ filter, order: 'oldest', limit: 500, behind });
    seqs.push(...page.entries.map(({ seq }) => seq));
    if (page.next === null) return seqs;
    behind = Number(page.next);
  }
}

test('a tail begins with what comes next and brings what its filter matches, in order', async () => {
  const size = await new AuditReader(fixture.database).size();
  const filters: AuditFilter[] = [{}, { kind: ['decision'] }, { board: ['events'], q: 'hello' }];
  const tails = tailsWith();
  const open = await Promise.all(filters.map((filter) => tails.tail({ filter, after: undefined })));
  const seen = open.map(reading);
  await eventually(async () => expect(seen.map(({ lastId }) => lastId)).toEqual(filters.map(() => size - 1)));
  for (let round = 0; round < 5; round += 1) await log.grow(120);
  for (const [at, filter] of filters.entries()) {
    const expected = (await matching(filter)).filter((seq) => seq >= size);
    await eventually(async () => expect(seen[at]!.seqs).toEqual(expected));
  }
  for (const body of open) body.destroy();
  await eventually(async () => expect(tails.open).toBe(0));
});

test('one that breaks anywhere goes on without a gap or a repeat behind the last id it was told', async () => {
  const filter: AuditFilter = { board: ['events', 'forum'] };
  const tails = tailsWith({ heartbeatMs: 50 });
  const got: number[] = [];
  let after = 100;
  const growing = (async () => {
    for (let round = 0; round < 12; round += 1) {
      await log.grow(60);
      await sleep(random.integer(0, 60));
    }
  })();
  for (let life = 0; life < 12; life += 1) {
    const body = await tails.tail({ filter, after });
    const seen = reading(body);
    await sleep(random.integer(1, 150));
    body.destroy();
    got.push(...seen.seqs);
    after = seen.lastId ?? after;
  }
  await growing;
  const last = reading(await tails.tail({ filter, after }));
  const expected = (await matching(filter)).filter((seq) => seq > 100);
  await eventually(async () => expect([...got, ...last.seqs]).toEqual(expected));
}, 30_000);

test('a quiet tail is kept open by heartbeats that name the place', async () => {
  const body = await tailsWith({ heartbeatMs: 30 }).tail({ filter: { actor: ['nobody'] }, after: 10 });
  let text = '';
  body.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const size = await new AuditReader(fixture.database).size();
  await eventually(async () => expect(text.split(`id: ${size - 1}\n: heartbeat\n\n`).length).toBeGreaterThan(3));
  body.destroy();
});

test('a reader that takes nothing is ended, and others are not', async () => {
  const tails = tailsWith({ slowMs: 300 });
  const idle = await tails.tail({ filter: {}, after: 0 });
  idle.read(0);
  const reader = await tails.tail({ filter: {}, after: 0 });
  const seen = reading(reader);
  await eventually(async () => expect(idle.destroyed).toBe(true));
  expect(reader.destroyed).toBe(false);
  await eventually(async () => expect(seen.seqs.length).toBeGreaterThan(700));
  reader.destroy();
  await eventually(async () => expect(tails.open).toBe(0));
});

test('there are at most so many, and none from a place that the log has not come to', async () => {
  const tails = tailsWith({ tailsMax: 2 });
  const open = [await tails.tail({ filter: {}, after: 0 }), await tails.tail({ filter: {}, after: 0 })];
  await expect(tails.tail({ filter: {}, after: 0 })).rejects.toMatchObject({ code: 'overloaded' });
  open[0]!.destroy();
  await eventually(async () => expect(tails.open).toBe(1));
  await expect(tails.tail({ filter: {}, after: 10_000_000 })).rejects.toMatchObject({ code: 'invalid_cursor' });
  expect(tails.open).toBe(1);
  open[1]!.destroy();
});
