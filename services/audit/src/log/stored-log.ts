import { isConnectionError, type Queryable } from '@boardwire/database';
import { CompactRange, fullTiles, tileWidth, treeRoot } from '@boardwire/signing';
import { hashReader, readTile } from './hash-reader.ts';
import type { LogPlace } from './log-place.ts';
import type { PostgresIdentity } from './postgres-identity.ts';
import { Tree } from './tree.ts';

/** The stored log doesn't fit what was signed or counted: nothing may be appended until somebody has looked. */
export class LogDamaged extends Error {
  override name = 'LogDamaged';
}

/** The epoch of the log that is being written, as the database holds it. */
export interface StoredLog extends LogPlace {
  epoch: string;
  tree: Tree;
  /** The newest checkpoint that is stored. */
  signed: { size: number; root: Buffer; note: string } | undefined;
  /** On which Postgres it was last written; null at the very first start. */
  writtenOn: { [K in keyof PostgresIdentity]: string | null };
  /** Somebody says that a backup was put back. */
  restored: string | null;
}

interface TreeRow extends LogPlace {
  epoch: string;
  size: number;
  edge: Buffer;
  systemIdentifier: string | null;
  timeline: string | null;
  restored: string | null;
}

/** Reads the log's state, and checks at the price of a few reads that it still is what its newest signature promised. */
export async function readStoredLog(snapshot: Queryable): Promise<StoredLog> {
  const [row] = await snapshot.query<TreeRow>(
    `SELECT epoch, era, first_seq AS "firstSeq", size, edge, restored,
       system_identifier AS "systemIdentifier", timeline FROM tree`,
  );
  const { epoch, era, firstSeq, size, edge, systemIdentifier, timeline, restored } = row!;
  const place = { era, firstSeq };
  const leaves = size - firstSeq;
  const tree = new Tree(CompactRange.fromBytes(leaves, edge), await openTiles(snapshot, leaves, place));
  const [signed] = await snapshot.query<{ size: number; root: Buffer; note: string }>(
    'SELECT size, root, note FROM checkpoint WHERE era = $1 ORDER BY size DESC LIMIT 1',
    [era],
  );
  await assertGrownFrom(signed, { snapshot, place, tree });
  return { epoch, ...place, tree, signed, restored, writtenOn: { systemIdentifier, timeline } };
}

/** The root of the first `size` leaves as they are stored. */
export function storedRoot(database: Queryable, place: LogPlace, size: number): Promise<Buffer> {
  return treeRoot(size, hashReader(database, place)).catch((cause: unknown) => {
    if (isConnectionError(cause)) throw cause;
    throw new LogDamaged(`the tree of ${size} cannot be read`, { cause });
  });
}

async function openTiles(database: Queryable, size: number, place: LogPlace): Promise<Buffer[][]> {
  const open: Buffer[][] = [];
  for (let level = 0; tileWidth ** level <= size; level += 1) {
    // oxlint-disable-next-line no-await-in-loop -- at most seven
    open.push(await readTile(database, { level, index: fullTiles(level, size) }, place));
  }
  return open;
}

async function assertGrownFrom(
  signed: StoredLog['signed'],
  { snapshot, place, tree }: { snapshot: Queryable; place: LogPlace; tree: Tree },
): Promise<void> {
  if (!(await storedRoot(snapshot, place, tree.size)).equals(tree.root())) {
    throw new LogDamaged(`the leaves do not add up to the tree of ${tree.size}`);
  }
  if (signed === undefined) return;
  if (signed.size > tree.size) throw new LogDamaged(`${signed.size} entries were signed, ${tree.size} are left`);
  if (!(await storedRoot(snapshot, place, signed.size)).equals(signed.root)) {
    throw new LogDamaged(`the first ${signed.size} entries are not those that were signed`);
  }
}
