import { auditStream } from '@boardwire/contracts';
import {
  openCheckpoint,
  parseCheckpoint,
  parseNote,
  parseVerifier,
  formatVerifier,
  treeRoot,
} from '@boardwire/signing';
import { seededRandom, type SeededRandom } from '@boardwire/test-kit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { addOwnDecision } from '../src/decisions/own-decisions.ts';
import { decisionEntry } from '../src/decisions/decision-entry.ts';
import { logSigner } from '../src/log/checkpoint-key.ts';
import { hashReader } from '../src/log/hash-reader.ts';
import type { Step } from '../src/log/sequencer.ts';
import { LogFixture, type Life } from './log-fixture.ts';

const steps = ['before append', 'after append', 'before witness', 'before checkpoint', 'after checkpoint'] as const;
const seeds = process.env['BOARDWIRE_TEST_TIER'] === 'long' ? 200 : 10;
const roundsOfSeed = 5;

let fixture: LogFixture;
let superuser: pg.Client;

beforeAll(async () => {
  fixture = await LogFixture.start({ hasBus: true });
  superuser = new pg.Client({ connectionString: fixture.server.postgres.url });
  await superuser.connect();
});
afterAll(async () => {
  await superuser.end();
  await fixture.stop();
});

/** Every note that was ever made, also those that never became readable: a root for each origin and size. */
class Signed {
  readonly #roots = new Map<string, string>();

  add(note: string): void {
    const { origin, size, root } = parseCheckpoint(parseNote(note).text);
    const place = `${origin} ${size}`;
    const hex = root.toString('hex');
    expect([place, this.#roots.get(place) ?? hex]).toEqual([place, hex]);
    this.#roots.set(place, hex);
  }
}

test(`a process that dies at any step, in ${seeds} histories: nothing is lost or doubled, nor signed twice for a size`, async () => {
  const random = seededRandom();
  for (let seed = 0; seed < seeds; seed += 1) await history(random);
}, 600_000);

async function history(random: SeededRandom): Promise<void> {
  await superuser.query(`SET session_replication_role = replica; TRUNCATE audit.tree, audit.entry, audit.detail, audit.leaf, audit.tile,
    audit.checkpoint, audit.mark, audit.day_count, audit.gap, audit.decision_inbox, audit.decision_stream, audit.former_epoch`);
  await fixture.bus!.streams.delete(auditStream.name);
  const signed = new Signed();
  const heads = { a: 0, b: 0 };
  let decisions = 0;
  for (let round = 0; round < roundsOfSeed; round += 1) {
    const fatal: Step = random.pick(steps);
    decisions += await oneLife({ random, fatal, heads, signed });
  }
  const last = fixture.live();
  await last.led();
  await Promise.all([last.submit('a', 1, heads.a + 5), last.submit('b', 1, heads.b + 5), takeIn(last)]);
  await last.checkpointer.finish();
  await last.kill();
  const { size, boards } = await fixture.verifyWhole();
  for (const board of ['a', 'b'] as const) {
    expect(boards.get(board)).toEqual(Array.from({ length: heads[board] + 5 }, (_, at) => at + 1));
  }
  expect(size).toBe(heads.a + heads.b + 10 + decisions);
  expect(await fixture.database.query('SELECT * FROM gap')).toEqual([]);
  expect(await fixture.database.query('SELECT * FROM former_epoch')).toEqual([]);
  await expectRoots(signed);
}

interface LifeOptions {
  random: SeededRandom;
  fatal: Step;
  heads: { a: number; b: number };
  signed: Signed;
}

/** Works until it dies at its fatal step. @returns how many decisions it was told */
async function oneLife({ random, fatal, heads, signed }: LifeOptions): Promise<number> {
  let countdown = random.integer(1, 4);
  let decisions = 0;
  const dead = new AbortController();
  const life = fixture.live((step) => {
    // Whatever the process was about to do after its death is not done.
    if (dead.signal.aborted || (step === fatal && (countdown -= 1) === 0)) {
      dead.abort();
      throw new Error(`killed ${step}`);
    }
  });
  const work = async (board: 'a' | 'b') => {
    while (!dead.signal.aborted) {
      const to = heads[board] + random.integer(1, 60);
      await life.submit(board, heads[board] + 1, to).catch(() => undefined);
      const mark = await fixture.database.query<{ seq: number }>('SELECT seq FROM mark WHERE board = $1', [board]);
      heads[board] = mark[0]?.seq ?? 0;
      await life.checkpointer.finish().catch(() => undefined);
      const witnessed = await life.witness!.read();
      if (witnessed !== undefined) signed.add(witnessed.note);
    }
  };
  const decide = async () => {
    while (!dead.signal.aborted) {
      await fixture.database.transaction((transaction) => addOwnDecision(transaction, { action: 'test' }));
      decisions += 1;
      await takeIn(life).catch(() => undefined);
    }
  };
  await Promise.all([work('a'), work('b'), decide()]);
  await life.kill();
  return decisions;
}

/** Moves what waits in the inbox into the log. */
async function takeIn(life: Life): Promise<void> {
  const items = await life.inbox.next(512);
  const calendar = { zoneOf: () => 'UTC', dayOf: (ms: number) => new Date(ms).toISOString().slice(0, 10) };
  await life.sequencer.appendDecisions(items.map((item) => decisionEntry(item, calendar)));
}

/** Every stored root is the root of that many leaves, and no other was ever signed. */
async function expectRoots(signed: Signed): Promise<void> {
  const rows = await fixture.database.query<{ size: number; root: Buffer; note: string }>(
    'SELECT size, root, note FROM checkpoint',
  );
  expect(rows.length).toBeGreaterThan(0);
  const [tree] = await fixture.database.query<{ epoch: string }>('SELECT epoch FROM tree');
  const verifier = parseVerifier(formatVerifier(logSigner(fixture.key, tree!.epoch)));
  for (const { size, root, note } of rows) {
    signed.add(note);
    expect(openCheckpoint(note, verifier)).toMatchObject({ size, root });
    expect(await treeRoot(size, hashReader(fixture.database))).toEqual(root);
  }
}
