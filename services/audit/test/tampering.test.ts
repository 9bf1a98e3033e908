import { auditStream } from '@boardwire/contracts';
import {
  consistencyProof,
  importVerifyingKey,
  leafHash,
  noteVerifier,
  openCheckpoint,
  signCheckpoint,
  verifyConsistency,
} from '@boardwire/signing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { logSigner } from '../src/log/checkpoint-key.ts';
import { hashReader } from '../src/log/hash-reader.ts';
import { Scrub } from '../src/log/scrub.ts';
import { LogDamaged } from '../src/log/stored-log.ts';
import { Tree, type FullTile } from '../src/log/tree.ts';
import { CompactRange } from '@boardwire/signing';
import { LogFixture, logger, type Life } from './log-fixture.ts';

let fixture: LogFixture;
let superuser: pg.Client;
let life: Life;
/** What a reader outside keeps: a checkpoint from before. */
let kept: { size: number; root: Buffer };

const entries = 1_000;

beforeAll(async () => {
  fixture = await LogFixture.start({ hasBus: true });
  superuser = new pg.Client({ connectionString: fixture.server.postgres.url });
  await superuser.connect();
  await superuser.query('SET session_replication_role = replica; SET search_path = audit');
});
afterAll(async () => {
  await superuser.end();
  await fixture.stop();
});
beforeEach(async () => {
  await superuser.query(
    'TRUNCATE tree, entry, detail, leaf, tile, checkpoint, mark, day_count, gap, former_epoch, dropped_records',
  );
  await fixture.bus!.streams.delete(auditStream.name);
  life = fixture.live();
  await life.led();
  await life.submit('a', 1, 400);
  await life.checkpointer.finish();
  kept = await newest();
  for (const to of [600, 900, entries]) await life.submit('a', 1, to);
  await life.checkpointer.finish();
});
afterEach(() => life.kill());

async function newest(): Promise<{ size: number; root: Buffer; note: string }> {
  const { rows } = await superuser.query<{ size: string; root: Buffer; note: string }>(
    'SELECT size, root, note FROM checkpoint ORDER BY size DESC LIMIT 1',
  );
  return { ...rows[0]!, size: Number(rows[0]!.size) };
}

const scrub = () =>
  new Scrub({
    database: fixture.database,
    key: fixture.key,
    witness: life.witness,
    metrics: life.auditMetrics,
    logger,
    isLeading: () => true,
    everyMs: 60_000,
  }).round();

const found = async () => (await scrub()).map(({ what, at }) => [what, at]);

describe('the scrub', () => {
  test('finds nothing in a log that nobody touched', async () => {
    expect(await scrub()).toEqual([]);
  });

  test.each<[string, string, unknown[]]>([
    [
      'a record that was edited',
      `UPDATE entry SET record = convert_to(replace(convert_from(record, 'UTF8'), '"u1"', '"u2"'), 'UTF8') WHERE seq = 500`,
      [['record', 500]],
    ],
    ['a column that was edited', `UPDATE entry SET actor = 'nobody' WHERE seq = 500`, [['record', 500]]],
    ['an entry that was deleted', 'DELETE FROM entry WHERE seq = 321', [['record', 321]]],
    [
      'an entry that was added behind the last',
      `INSERT INTO entry SELECT 1000, day, at, kind, board, board_epoch, board_seq, subject, type, actor, origin, event_id, outcome, record
       FROM entry WHERE seq = 5`,
      [['record', 1_000]],
    ],
    [
      'two entries that changed places',
      'UPDATE entry SET record = (SELECT record FROM entry AS o WHERE o.seq = 15 - entry.seq) WHERE seq IN (7, 8)',
      [
        ['record', 7],
        ['record', 8],
      ],
    ],
    ['a batch of leaves that was taken out', 'DELETE FROM leaf WHERE first_seq = 600', [['leaf', 600]]],
    [
      'a tile that was changed',
      `UPDATE tile SET hashes = overlay(hashes PLACING '\\x00' FROM 5) WHERE level = 0 AND index = 1`,
      [['tile', 512]],
    ],
    [
      'a checkpoint that was changed',
      `UPDATE checkpoint SET root = overlay(root PLACING '\\x00' FROM 5) WHERE size = 400`,
      [
        ['checkpoint', 400],
        ['checkpoint', 400],
      ],
    ],
    ['an edge that was changed', `UPDATE tree SET edge = overlay(edge PLACING '\\x00' FROM 5)`, [['tree', 1_000]]],
  ])('finds %s', async (_, sql, expected) => {
    await superuser.query(sql);
    expect(await found()).toEqual(expected);
  });

  test('finds a leaf that was changed, by its record and by everything above it', async () => {
    await superuser.query(`UPDATE leaf SET hashes = overlay(hashes PLACING '\\x00' FROM 5) WHERE first_seq = 0`);
    expect(await found()).toEqual([
      ['record', 0],
      ['checkpoint', 400],
      ['checkpoint', 1_000],
      ['checkpoint', 1_000],
      ['tile', 256],
      ['tree', 1_000],
    ]);
  });

  test('a term that begins does not go on from any damage at the log’s edge', async () => {
    await life.kill();
    await superuser.query(`UPDATE tree SET edge = overlay(edge PLACING '\\x00' FROM 5)`);
    life = fixture.live();
    await expect(life.ended).rejects.toThrow(LogDamaged);
  });
});

describe('who rewrites the whole log, with every hash and signature,', () => {
  test('is found by the witness: the service does not go on, and the scrub says why', async () => {
    await life.kill();
    await rewrite();
    life = fixture.live();
    await expect(life.ended).rejects.toThrow('two roots were signed');
    expect(await scrub()).toEqual([expect.objectContaining({ what: 'checkpoint', at: entries })]);
  });

  test('is found by whoever kept a checkpoint: nothing leads from it to the new root', async () => {
    await rewrite();
    const now = await newest();
    const proof = await consistencyProof(kept.size, now.size, hashReader(fixture.database));
    const claim = { from: kept.size, to: now.size, fromRoot: kept.root, toRoot: now.root, proof };
    expect(verifyConsistency(claim)).toBe(false);
  });
});

describe('a second root for a size', () => {
  test('that is stored in place of the first is found by the scrub', async () => {
    const { size } = await newest();
    await superuser.query('UPDATE checkpoint SET root = $1, note = $2 WHERE size = $3', [
      Buffer.alloc(32, 1),
      signed(size, Buffer.alloc(32, 1)),
      size,
    ]);
    expect(await found()).toEqual([['checkpoint', size]]);
  });

  test('that was shown to one reader only is found by comparing with what any other has', async () => {
    const { size, root } = await newest();
    const verifier = noteVerifier(origin(), importVerifyingKey(fixture.key.key.publicKey));
    const shown = openCheckpoint(signed(size, Buffer.alloc(32, 1)), verifier);
    const proof = await consistencyProof(kept.size, size, hashReader(fixture.database));
    const claim = { from: kept.size, to: size, fromRoot: kept.root, proof };
    expect(verifyConsistency({ ...claim, toRoot: shown.root })).toBe(false);
    expect(verifyConsistency({ ...claim, toRoot: root })).toBe(true);
  });
});

test('checkpoints and entries that were rolled back begin a new epoch, whose first entry names what was signed', async () => {
  const former = await newest();
  await life.kill();
  await superuser.query(`DELETE FROM checkpoint WHERE size > 400; DELETE FROM leaf WHERE first_seq >= 400;
    DELETE FROM entry WHERE seq >= 400; DELETE FROM detail WHERE seq >= 400; DELETE FROM tile WHERE index > 0`);
  await superuser.query('UPDATE tree SET size = 400, edge = $1', [await edgeOf(400)]);
  life = fixture.live();
  await life.led();
  const { rows } = await superuser.query<{ record: Buffer }>('SELECT record FROM entry ORDER BY seq DESC LIMIT 1');
  expect(JSON.parse(rows[0]!.record.toString())).toMatchObject({ type: 'audit.epoch', checkpoint: former.note });
  expect(await scrub()).toEqual([]);
});

const origin = () => logSigner(fixture.key, life.sequencer.committed!.epoch).name;

function signed(size: number, root: Buffer): string {
  const name = origin();
  return signCheckpoint({ origin: name, size, root }, [logSigner(fixture.key, life.sequencer.committed!.epoch)]);
}

async function edgeOf(size: number): Promise<Buffer> {
  const { rows } = await superuser.query<{ record: Buffer }>('SELECT record FROM entry WHERE seq < $1 ORDER BY seq', [
    size,
  ]);
  return new Tree(new CompactRange(), []).grow(rows.map(({ record }) => leafHash(record))).edge;
}

/** All that a superuser with the key can do: another author in one record, then every hash, tile, edge and note anew. */
async function rewrite(): Promise<void> {
  const { rows: epochs } = await superuser.query<{ epoch: string }>('SELECT epoch FROM tree');
  const signer = logSigner(fixture.key, epochs[0]!.epoch);
  await superuser.query(`UPDATE entry SET actor = 'u2',
    record = convert_to(replace(convert_from(record, 'UTF8'), '"actor":"u1"', '"actor":"u2"'), 'UTF8') WHERE seq = 3`);
  const { rows } = await superuser.query<{ record: Buffer }>('SELECT record FROM entry ORDER BY seq');
  const leaves = rows.map(({ record }) => leafHash(record));
  const { rows: signedSizes } = await superuser.query<{ size: string }>('SELECT size FROM checkpoint');
  for (const { size } of signedSizes) {
    const tree = new Tree(new CompactRange(), []);
    tree.grow(leaves.slice(0, Number(size)));
    const note = signCheckpoint({ origin: signer.name, size: Number(size), root: tree.root() }, [signer]);
    // oxlint-disable-next-line no-await-in-loop -- a handful
    await superuser.query('UPDATE checkpoint SET root = $1, note = $2 WHERE size = $3', [tree.root(), note, size]);
  }
  const { tiles, edge } = new Tree(new CompactRange(), []).grow(leaves);
  await superuser.query('UPDATE tree SET edge = $1', [edge]);
  await superuser.query('TRUNCATE leaf; TRUNCATE tile');
  await superuser.query('INSERT INTO leaf VALUES (0, $1)', [Buffer.concat(leaves)]);
  for (const tile of tiles) await insertTile(tile);
}

async function insertTile({ level, index, root, hashes }: FullTile): Promise<void> {
  await superuser.query('INSERT INTO tile (level, index, root, hashes) VALUES ($1, $2, $3, $4)', [
    level,
    index,
    root,
    hashes,
  ]);
}
