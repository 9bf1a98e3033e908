import type { Database } from '@boardwire/database';
import { CompactRange, splitHashes, tileWidth } from '@boardwire/signing';
import type { LogSpan } from '../reading/log-spans.ts';
import type { CheckpointKey } from './checkpoint-key.ts';
import { problemOf, type ScrubbedRow } from './record-check.ts';
import { openSigned, type SignedTree } from './signed-tree.ts';
import { Tree, type FullTile } from './tree.ts';

/** What doesn't fit. `at` is the seq of an entry, else a size of the tree. */
export interface Finding {
  what: 'record' | 'leaf' | 'tile' | 'checkpoint' | 'tree';
  epoch: string;
  at: number;
  detail: string;
}

export interface SpanScrubOptions {
  database: Database;
  key: CheckpointKey;
  span: LogSpan;
  /** The newest checkpoint that is known outside the database. */
  witnessed: SignedTree | undefined;
  note: (finding: Finding) => void;
}

interface Promised {
  size: number;
  root: Buffer;
  note: string;
}

const leafRows = 8;
const checkpointsAhead = 500;

/** One pass over one epoch: makes its tree anew from the stored leaves, and compares everything with that. */
export class SpanScrub {
  readonly #options: SpanScrubOptions;
  readonly #tree = new Tree(new CompactRange(), []);
  #promised: Promised[] = [];
  #promisedThrough = 0;

  constructor(options: SpanScrubOptions) {
    this.#options = options;
  }

  /** Leaves that are checked. */
  get position(): number {
    return this.#tree.size;
  }

  /** Checks the next entries. False when there are no more, or nothing can be said of them. */
  async page(): Promise<boolean> {
    const { span } = this.#options;
    if (this.position >= span.leaves) return this.#end();
    const leaves = await this.#nextLeaves();
    if (leaves.length === 0) return false;
    await this.#checkRecords(leaves);
    await this.#checkGrowth(leaves);
    return true;
  }

  /** The leaves behind the position, whole batches of them. */
  async #nextLeaves(): Promise<Buffer[]> {
    const { database, span } = this.#options;
    const next = span.firstSeq + this.position;
    const rows = await database.query<{ first_seq: number; hashes: Buffer }>(
      'SELECT first_seq, hashes FROM leaf WHERE first_seq >= $1 AND first_seq < $2 ORDER BY first_seq LIMIT $3',
      [next, span.firstSeq + span.leaves, leafRows],
    );
    const leaves: Buffer[] = [];
    for (const { first_seq: first, hashes } of rows) {
      if (first !== next + leaves.length) break;
      leaves.push(...splitHashes(hashes));
    }
    if (leaves.length === 0) this.#note('leaf', next, 'its leaf hash is missing');
    return leaves;
  }

  async #checkRecords(leaves: readonly Buffer[]): Promise<void> {
    const { database, span } = this.#options;
    const first = span.firstSeq + this.position;
    const rows = await database.query<ScrubbedRow>(selectRows, [first, first + leaves.length]);
    const bySeq = new Map<number, ScrubbedRow>();
    for (const row of rows) {
      if (bySeq.has(row.seq)) this.#note('record', row.seq, 'two records stand for it');
      bySeq.set(row.seq, row);
    }
    const missing: number[] = [];
    for (const [at, leaf] of leaves.entries()) {
      const row = bySeq.get(first + at);
      if (row === undefined) missing.push(first + at);
      const problem = row === undefined ? undefined : problemOf(row, leaf);
      if (problem !== undefined) this.#note('record', first + at, problem);
    }
    for (const seq of await this.#notDropped(missing)) this.#note('record', seq, 'its record is missing');
  }

  /** Those whose day has not outlived its retention. */
  async #notDropped(seqs: readonly number[]): Promise<number[]> {
    if (seqs.length === 0) return [];
    const rows = await this.#options.database.query<{ seq: number }>(
      `SELECT seq FROM unnest($1::bigint[]) AS m (seq)
       WHERE NOT EXISTS (SELECT FROM dropped_records d WHERE d.seqs @> m.seq)`,
      [seqs],
    );
    return rows.map(({ seq }) => seq);
  }

  /** Grows the tree from one promised size to the next, and compares the roots there. */
  async #checkGrowth(leaves: readonly Buffer[]): Promise<void> {
    const tiles: FullTile[] = [];
    for (let from = 0; from < leaves.length;) {
      // oxlint-disable-next-line no-await-in-loop -- a few at a time
      const next = await this.#nextPromise();
      const take = Math.min(leaves.length - from, (next?.size ?? Infinity) - this.position);
      tiles.push(...this.#tree.grow(leaves.slice(from, from + take)).tiles);
      from += take;
      if (next !== undefined && this.position === next.size) this.#checkPromise(next);
    }
    await this.#checkTiles(tiles);
  }

  async #nextPromise(): Promise<Promised | undefined> {
    while (this.#promised[0] !== undefined && this.#promised[0].size <= this.position) this.#promised.shift();
    if (this.#promised.length > 0 || this.#promisedThrough === Infinity) return this.#promised[0];
    const { database, span, witnessed } = this.#options;
    const rows = await database.query<Promised>(
      'SELECT size, root, note FROM checkpoint WHERE era = $1 AND size > $2 ORDER BY size LIMIT $3',
      [span.era, Math.max(this.#promisedThrough, this.position), checkpointsAhead],
    );
    this.#promisedThrough = rows.length < checkpointsAhead ? Infinity : rows.at(-1)!.size;
    const isOurs = witnessed?.epoch === span.epoch && witnessed.size > this.position;
    const isDue = isOurs && (rows.length < checkpointsAhead || witnessed.size <= rows.at(-1)!.size);
    this.#promised = [...rows, ...(isDue ? [witnessed] : [])].sort((left, right) => left.size - right.size);
    return this.#promised[0];
  }

  /** Several may promise the same size: the stored checkpoint and the witness. */
  #checkPromise({ size }: Promised): void {
    const { key, span } = this.#options;
    while (this.#promised[0]?.size === size) {
      const { root, note } = this.#promised.shift()!;
      const signed = openSigned(note, key);
      const isWhole = signed?.epoch === span.epoch && signed.size === size && signed.root.equals(root);
      if (!isWhole) this.#note('checkpoint', size, 'its signature does not say what is stored');
      if (!root.equals(this.#tree.root())) this.#note('checkpoint', size, 'the leaves have another root');
    }
  }

  async #checkTiles(tiles: readonly FullTile[]): Promise<void> {
    if (tiles.length === 0) return;
    const { database, span } = this.#options;
    const rows = await database.query<FullTile>(
      `SELECT level, index, root, hashes FROM tile JOIN unnest($2::int[], $3::bigint[]) AS w (level, index)
       USING (level, index) WHERE era = $1`,
      [span.era, tiles.map(({ level }) => level), tiles.map(({ index }) => index)],
    );
    for (const tile of tiles) {
      const stored = rows.find(({ level, index }) => level === tile.level && index === tile.index);
      if (stored?.root.equals(tile.root) === true && stored.hashes.equals(tile.hashes)) continue;
      const end = (tile.index + 1) * tileWidth ** (tile.level + 1);
      this.#note('tile', end, `tile ${tile.level}/${tile.index} is ${stored === undefined ? 'missing' : 'another'}`);
    }
  }

  /** What stands behind the last leaf, and whether the tree that is gone on with is this one. */
  async #end(): Promise<false> {
    const { database, span } = this.#options;
    const after = span.firstSeq + span.leaves;
    const [stray] = await database.query<{ seq: number }>(strayEntry, [span.firstSeq, after, span.era]);
    if (stray !== undefined) this.#note('record', stray.seq, 'no leaf stands for it');
    const [tree] = await database.query<{ edge: Buffer }>('SELECT edge FROM tree WHERE era = $1 AND size = $2', [
      span.era,
      after,
    ]);
    if (tree?.edge.equals(this.#tree.edge()) === false) this.#note('tree', span.leaves, 'the leaves have another root');
    return false;
  }

  #note(what: Finding['what'], at: number, detail: string): void {
    this.#options.note({ what, epoch: this.#options.span.epoch, at, detail });
  }
}

const selectRows = `
  SELECT e.seq, e.day::text, e.kind, e.board, e.board_epoch, e.board_seq, e.subject, e.type, e.actor, e.origin, e.event_id,
    e.outcome, e.record, d.body
  FROM entry e LEFT JOIN detail d ON d.seq = e.seq
  WHERE e.day = ANY (coalesce((SELECT array_agg(day) FROM day_count WHERE last_seq >= $1 AND first_seq < $2), '{}'))
    AND e.seq >= $1 AND e.seq < $2 ORDER BY e.seq`;

/** Before the first entry, behind the last one, or between two epochs. What is appended meanwhile is not stray. */
const strayEntry = `
  SELECT seq FROM entry
  WHERE seq >= $2 AND seq < coalesce((SELECT min(first_seq) FROM (
      SELECT first_seq FROM former_epoch WHERE era > $3 UNION ALL SELECT first_seq FROM tree WHERE era > $3) AS later),
      9223372036854775807)
    AND seq >= (SELECT CASE WHEN era = $3 THEN size ELSE $2 END FROM tree)
    OR ($3 = 0 AND seq < $1)
  LIMIT 1`;
