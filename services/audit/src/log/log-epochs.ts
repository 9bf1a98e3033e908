import { createHash, randomBytes } from 'node:crypto';
import type { Database, Queryable } from '@boardwire/database';
import type { Logger } from '@boardwire/service-kit';
import { canonicalJson, CompactRange, encodeBase32, leafHash } from '@boardwire/signing';
import type { AuditMetrics } from '../metrics.ts';
import { appendParameters, appendStatement } from './append-batch.ts';
import type { DayPartitions } from './day-partitions.ts';
import type { Entry } from './entry.ts';
import type { PostgresIdentity } from './postgres-identity.ts';
import type { SignedTree } from './signed-tree.ts';
import { LogDamaged, storedRoot, type StoredLog } from './stored-log.ts';
import { Tree } from './tree.ts';
import type { ZoneDays } from './zone-days.ts';

export interface LogEpochsOptions {
  database: Database;
  partitions: DayPartitions;
  days: ZoneDays;
  siteTimeZone: string;
  metrics: AuditMetrics;
  logger: Logger;
}

export type EpochReason = 'another Postgres' | 'the log went back' | 'said to be restored';

/** What is known of the log from outside its database. */
export interface OutsideView {
  /** The newest checkpoint that the witness has seen. */
  witnessed: SignedTree | undefined;
  /** How far this process has seen it committed. */
  seen: { epoch: string; size: number } | undefined;
  identity: PostgresIdentity | undefined;
}

/** Numbers that readers may have seen of entries that were lost are not given again. */
const seqStep = 65_536;
const saltBytes = 16;

export const newLogEpoch = () => encodeBase32(randomBytes(5));

/**
 * Ends an epoch of the log when its database no longer holds all that was signed in it, and begins the next one: another
 * origin, an empty tree, and as its first entry the newest checkpoint known of the former. Nothing is deleted: entries
 * that are left stay where they are, and what the boards still have is appended again from their marks on.
 */
export class LogEpochs {
  constructor(private readonly options: LogEpochsOptions) {}

  /**
   * Why the stored log can't be continued, or undefined when it can. Throws LogDamaged when it was signed past what the
   * witness has seen, and differently: no backup does that.
   */
  async reasonToEnd(snapshot: Queryable, log: StoredLog, view: OutsideView): Promise<EpochReason | undefined> {
    const { identity, seen } = view;
    if (log.restored !== null) return 'said to be restored';
    const { systemIdentifier, timeline } = log.writtenOn;
    const isOther = identity?.systemIdentifier !== systemIdentifier || identity.timeline !== timeline;
    if (identity !== undefined && systemIdentifier !== null && isOther) return 'another Postgres';
    if (seen?.epoch === log.epoch && seen.size > log.tree.size) return 'the log went back';
    return (await this.#wentBack(snapshot, log, view.witnessed)) ? 'the log went back' : undefined;
  }

  /** False when somebody else has begun one, or appended. */
  async begin(log: StoredLog, reason: EpochReason, { witnessed, identity }: OutsideView): Promise<boolean> {
    const { database, partitions, logger, metrics } = this.options;
    const last = lastKnown(log, witnessed);
    const end = log.firstSeq + Math.max(log.tree.size, last?.epoch === log.epoch ? last.size : 0);
    const next = {
      epoch: newLogEpoch(),
      after: last?.epoch,
      era: log.era + 1,
      firstSeq: (Math.floor(end / seqStep) + 2) * seqStep,
    };
    const entry = this.#firstEntry(log, { reason, last, epoch: next.epoch });
    await partitions.ensure([entry.day]);
    const hasBegun = await database.transaction(async (transaction) => {
      if (!(await endFormer(transaction, log, next, identity))) return false;
      await noteFormer(transaction, log, { reason, last });
      const growth = new Tree(new CompactRange(), []).grow([entry.leaf]);
      await transaction.query(
        appendStatement.sql,
        appendParameters({ place: next, entries: [entry], growth, gaps: [] }),
      );
      return true;
    });
    if (!hasBegun) return false;
    metrics.epochBegun();
    logger.error({ event: 'audit.epoch_begun', reason, former: log.epoch, kept: log.tree.size, signed: last?.size });
    return true;
  }

  async #wentBack(snapshot: Queryable, log: StoredLog, witnessed: SignedTree | undefined): Promise<boolean> {
    if (witnessed === undefined) return false;
    if (witnessed.epoch !== log.epoch) {
      // One that this database has forgotten has ended too, when this epoch began behind it.
      const known = await snapshot.query(
        'SELECT FROM former_epoch WHERE epoch = $1 UNION ALL SELECT FROM tree WHERE begun_after = $1',
        [witnessed.epoch],
      );
      return known.length === 0;
    }
    if (witnessed.size > log.tree.size) return true;
    if ((await storedRoot(snapshot, log, witnessed.size)).equals(witnessed.root)) return false;
    if (log.signed !== undefined && log.signed.size >= witnessed.size) {
      throw new LogDamaged(`two roots were signed for sizes up to ${witnessed.size}`);
    }
    return true;
  }

  /**
   * The former's checkpoint stands in the record itself: unlike a detail it can't be forgotten. So does the root of all
   * that is kept of it, which covers what no signature under the former's name may cover any more.
   */
  #firstEntry(log: StoredLog, { reason, last, epoch }: { reason: string; last: Known; epoch: string }): Entry {
    const { days, siteTimeZone: zone } = this.options;
    const atMs = Date.now();
    const day = days.dayOf(atMs, zone);
    const salt = randomBytes(saltBytes);
    const data = canonicalJson({ epoch, former: log.epoch, reason, signed: last?.size ?? 0 });
    const record = canonicalJson({
      actor: 'audit',
      at: new Date(atMs).toISOString(),
      ...(last === undefined ? {} : { checkpoint: last.note }),
      datahash: createHash('sha256').update(salt).update(data).digest('hex'),
      day,
      kept_root: log.tree.root().toString('hex'),
      kept_size: log.tree.size,
      kind: 'decision',
      origin: 'audit',
      outcome: 'done',
      type: 'audit.epoch',
      v: 1,
      zone,
    });
    const detail = `{"data":${data},"salt":"${salt.toString('hex')}"}`;
    return { record, leaf: leafHash(Buffer.from(record, 'utf8')), day, detail, atMs, from: { kind: 'log' } };
  }
}

type Known = Pick<SignedTree, 'epoch' | 'size' | 'root' | 'note'> | undefined;

/** What the witness has seen is never older than what is stored, unless it was lost. */
function lastKnown({ epoch, signed }: StoredLog, witnessed: SignedTree | undefined): Known {
  const stored = signed === undefined ? undefined : { epoch, ...signed };
  if (witnessed === undefined || (witnessed.epoch === epoch && witnessed.size < (stored?.size ?? 0))) return stored;
  return witnessed;
}

async function endFormer(
  transaction: Queryable,
  log: StoredLog,
  next: { epoch: string; era: number; firstSeq: number; after: string | undefined },
  identity: PostgresIdentity | undefined,
): Promise<boolean> {
  const moved = await transaction.query(
    `UPDATE tree SET epoch = $1, era = $2, first_seq = $3, size = $3, edge = '', restored = NULL, begun_after = $8,
       system_identifier = coalesce($4, system_identifier), timeline = coalesce($5, timeline)
     WHERE epoch = $6 AND size = $7 RETURNING era`,
    [
      next.epoch,
      next.era,
      next.firstSeq,
      identity?.systemIdentifier ?? null,
      identity?.timeline ?? null,
      log.epoch,
      log.firstSeq + log.tree.size,
      next.after ?? null,
    ],
  );
  return moved.length > 0;
}

async function noteFormer(
  transaction: Queryable,
  log: StoredLog,
  { reason, last }: { reason: string; last: Known },
): Promise<void> {
  const own = last?.epoch === log.epoch ? last : log.signed;
  await transaction.query(
    `INSERT INTO former_epoch (era, epoch, first_seq, kept, size, root, note, reason)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [log.era, log.epoch, log.firstSeq, log.tree.size, own?.size ?? null, own?.root ?? null, own?.note ?? null, reason],
  );
}
