import { randomBytes } from 'node:crypto';
import type { Database } from '@boardwire/database';
import { CompactRange, encodeBase32, fullTiles, treeRoot } from '@boardwire/signing';
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
  gaps: number;
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
    const { epoch, size, edge } = await this.#tree();
    const tree = new Tree(CompactRange.fromBytes(size, edge), await this.#openTiles(size));
    await this.#assertGrownFromCheckpoint(tree);
    const rows = await this.#database.query<{ board: string; epoch: string; seq: number }>('SELECT * FROM mark');
    const marks = new Map(rows.map((row) => [markKey(row.board, row.epoch), row.seq]));
    return { epoch, tree, marks, gaps: await this.openGaps() };
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
  async #tree(): Promise<{ epoch: string; size: number; edge: Buffer }> {
    await this.#database.query(
      `INSERT INTO tree (epoch, size, edge) VALUES ($1, 0, '') ON CONFLICT (is_only) DO NOTHING`,
      [encodeBase32(randomBytes(5))],
    );
    const [row] = await this.#database.query<{ epoch: string; size: number; edge: Buffer }>(
      'SELECT epoch, size, edge FROM tree',
    );
    return row!;
  }

  async #openTiles(size: number): Promise<Buffer[][]> {
    const open: Buffer[][] = [];
    for (let level = 0; 256 ** level <= size; level += 1) {
      const hashes = readTile(this.#database, { level, index: fullTiles(level, size) });
      // oxlint-disable-next-line no-await-in-loop -- at most seven
      open.push(await hashes);
    }
    return open;
  }

  async #assertGrownFromCheckpoint(tree: Tree): Promise<void> {
    const read = hashReader(this.#database);
    if (!(await treeRoot(tree.size, read)).equals(tree.root())) {
      throw new LogDamaged(`the leaves do not add up to the tree of ${tree.size}`);
    }
    const [signed] = await this.#database.query<{ size: number; root: Buffer }>(
      'SELECT size, root FROM checkpoint ORDER BY size DESC LIMIT 1',
    );
    if (signed === undefined) return;
    if (signed.size > tree.size) throw new LogDamaged(`${signed.size} entries were signed, ${tree.size} are left`);
    if (!(await treeRoot(signed.size, read)).equals(signed.root)) {
      throw new LogDamaged(`the first ${signed.size} entries are not those that were signed`);
    }
  }
}
