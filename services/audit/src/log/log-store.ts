import { randomBytes } from 'node:crypto';
import { isConnectionError, type Database, type Queryable } from '@boardwire/database';
import { CompactRange, encodeBase32, fullTiles, tileWidth, treeRoot } from '@boardwire/signing';
import { appendBatch, type Batch } from './append-batch.ts';
import { DayPartitions } from './day-partitions.ts';
import type { Gap } from './entry.ts';
import { hashReader, readTile } from './hash-reader.ts';
import { Tree } from './tree.ts';

/** What a sequencer has to know before it appends. */
export interface LogState {
  epoch: string;
  tree: Tree;
  /** Last audited seq by `board/epoch`. */
  marks: Map<string, number>;
}

/** The stored log doesn't fit what was signed or counted: nothing may be appended until somebody has looked. */
export class LogDamaged extends Error {
  override name = 'LogDamaged';
}

export const markKey = (board: string, epoch: string) => `${board}/${epoch}`;

/** The log in Postgres. */
export class LogStore {
  readonly #database: Database;
  readonly #partitions: DayPartitions;

  constructor(database: Database) {
    this.#database = database;
    this.#partitions = new DayPartitions(database);
  }

  /** Reads what is needed to go on, and checks that it still is what the newest checkpoint promised. */
  async load(): Promise<LogState> {
    await this.#begin();
    return this.#database.transaction(async (snapshot) => {
      // One snapshot: a former leader may still be appending, and its next checkpoint is ahead of the tree read before.
      await snapshot.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
      const [row] = await snapshot.query<{ epoch: string; size: number; edge: Buffer }>('SELECT * FROM tree');
      const { epoch, size, edge } = row!;
      const tree = new Tree(CompactRange.fromBytes(size, edge), await openTiles(snapshot, size));
      await assertGrownFromCheckpoint(snapshot, tree);
      const marks = await snapshot.query<{ board: string; epoch: string; seq: number }>('SELECT * FROM mark');
      return {
        epoch,
        tree,
        marks: new Map(marks.map((mark) => [markKey(mark.board, mark.epoch), mark.seq])),
      };
    });
  }

  /** Appends one batch, or nothing. False when somebody else has appended since the state was loaded. */
  async append(batch: Batch): Promise<boolean> {
    await this.#partitions.ensure(batch.entries.map(({ day }) => day));
    return appendBatch(this.#database, batch);
  }

  async recordGap(gap: Gap): Promise<void> {
    await this.#database.query(
      `INSERT INTO gap (kind, name, epoch, first, last) SELECT $1, $2, $3, $4::bigint, $5::bigint
       WHERE NOT EXISTS (SELECT FROM gap WHERE kind = $1 AND name = $2 AND epoch = $3 AND first <= $4 AND last >= $5)`,
      [gap.kind, gap.name, gap.epoch, gap.first, gap.last],
    );
  }

  async openGaps(): Promise<number> {
    const [row] = await this.#database.query<{ gaps: number }>('SELECT count(*) AS gaps FROM gap');
    return row!.gaps;
  }

  async loadMark(board: string, epoch: string): Promise<number | undefined> {
    const [row] = await this.#database.query<{ seq: number }>('SELECT seq FROM mark WHERE board = $1 AND epoch = $2', [
      board,
      epoch,
    ]);
    return row?.seq;
  }

  /** The first replica that comes here begins the log. */
  async #begin(): Promise<void> {
    await this.#database.query(
      `INSERT INTO tree (epoch, size, edge) VALUES ($1, 0, '') ON CONFLICT (is_only) DO NOTHING`,
      [encodeBase32(randomBytes(5))],
    );
  }
}

async function openTiles(database: Queryable, size: number): Promise<Buffer[][]> {
  const open: Buffer[][] = [];
  for (let level = 0; tileWidth ** level <= size; level += 1) {
    // oxlint-disable-next-line no-await-in-loop -- at most seven
    open.push(await readTile(database, { level, index: fullTiles(level, size) }));
  }
  return open;
}

/** Compares what is stored with itself and with the newest signature, at the price of a few reads. */
async function assertGrownFromCheckpoint(database: Queryable, tree: Tree): Promise<void> {
  const read = hashReader(database);
  const rootOf = (size: number) =>
    treeRoot(size, read).catch((cause: unknown) => {
      if (isConnectionError(cause)) throw cause;
      throw new LogDamaged(`the tree of ${size} cannot be read`, { cause });
    });
  if (!(await rootOf(tree.size)).equals(tree.root())) {
    throw new LogDamaged(`the leaves do not add up to the tree of ${tree.size}`);
  }
  const [signed] = await database.query<{ size: number; root: Buffer }>(
    'SELECT size, root FROM checkpoint ORDER BY size DESC LIMIT 1',
  );
  if (signed === undefined) return;
  if (signed.size > tree.size) throw new LogDamaged(`${signed.size} entries were signed, ${tree.size} are left`);
  if (!(await rootOf(signed.size)).equals(signed.root)) {
    throw new LogDamaged(`the first ${signed.size} entries are not those that were signed`);
  }
}
