import { randomBytes } from 'node:crypto';
import { feedEpochRecordSchema, feedEpochType, type FeedEpochRecord } from '@boardwire/contracts';
import type { Database, Queryable } from '@boardwire/database';
import { AppError } from '@boardwire/service-kit';
import { canonicalBytes, encodeBase32, signEnvelope, verifyEnvelope } from '@boardwire/signing';
import type { Envelope, VerifyingKey } from '@boardwire/signing';
import type { SiteIdentity } from '../identity/site-identity.ts';
import { siteIdOf } from '../identity/site-id.ts';
import { parseCanonical } from './parse-canonical.ts';

interface LatestEpoch {
  epoch: string;
  ordinal: number;
  n: number;
  hash: string;
  boardEpoch: string | null;
  boardSeq: number | null;
}

/** Opens feeds. None comes into being by an item that names it: an epoch is the word of its site's root key. */
export class FeedEpochs {
  readonly #database: Database;
  readonly #identity: SiteIdentity;

  constructor(database: Database, identity: SiteIdentity) {
    this.#database = database;
    this.#identity = identity;
  }

  /**
   * Opens this site's feed of a room, or a new epoch of it, which begins with oseq 1 and closes the one before. The
   * board's log goes into it from where the former epoch stopped, else from where the log is being followed now.
   */
  openFeed(room: string): Promise<Envelope> {
    return this.#database.transaction((transaction) => this.openFeedIn(transaction, room));
  }

  /** The same inside the caller's transaction. */
  async openFeedIn(transaction: Queryable, room: string): Promise<Envelope> {
    await transaction.query('SELECT 1 FROM room WHERE id = $1 FOR UPDATE', [room]);
    const former = await this.#latest(transaction, room);
    const record = this.#recordAfter(room, former);
    const { keys } = this.#identity;
    const envelope = signEnvelope(feedEpochType, canonicalBytes(record), [
      { keyid: keys.root.keyId, key: keys.root.key },
    ]);
    await insertFeed(transaction, record, envelope);
    await startAt(transaction, record, former);
    return envelope;
  }

  /**
   * Opens a feed of another site, which may come again. @throws AppError `invalid` when the record isn't the site's, or
   * speaks of this site; `conflict` when the site has said something else of this epoch or ordinal.
   */
  async admit(room: string, envelope: Envelope, rootKey: VerifyingKey): Promise<FeedEpochRecord> {
    const bytes = verifyEnvelope(envelope, feedEpochType, rootKey);
    const record = bytes && parseCanonical(bytes, feedEpochRecordSchema);
    const isTheirs = record?.site === siteIdOf(rootKey.publicKey) && record.site !== this.#identity.siteId;
    if (record === undefined || !isTheirs || record.room !== room) {
      throw new AppError('invalid', { detail: 'the record of the epoch is not its site’s' });
    }
    if (await insertFeed(this.#database, record, envelope)) return record;
    const [known] = await this.#database.query<{ record: Envelope }>(
      'SELECT record FROM feed WHERE room = $1 AND site = $2 AND epoch = $3',
      [room, record.site, record.epoch],
    );
    if (known?.record.payload === envelope.payload) return record;
    throw new AppError('conflict', { detail: 'another record of this epoch is known' });
  }

  /**
   * Takes back a record of this site's own, which it has signed and forgotten, from whoever has kept it. What the feed has
   * of the board's log it keeps. False when it is known, or isn't this site's.
   */
  readmit(room: string, envelope: Envelope): Promise<boolean> {
    const { keys, siteId } = this.#identity;
    const bytes = verifyEnvelope(envelope, feedEpochType, keys.root.key);
    const record = bytes && parseCanonical(bytes, feedEpochRecordSchema);
    if (record === undefined || record.site !== siteId || record.room !== room) return Promise.resolve(false);
    return this.#database.transaction(async (transaction) => {
      await transaction.query('SELECT 1 FROM room WHERE id = $1 FOR UPDATE', [room]);
      const former = await this.#latest(transaction, room);
      if (!(await insertFeed(transaction, record, envelope))) return false;
      await startAt(transaction, record, former);
      return true;
    });
  }

  async #latest(transaction: Queryable, room: string): Promise<LatestEpoch | undefined> {
    const rows = await transaction.query<LatestEpoch>(
      `SELECT epoch, ordinal, n, encode(hash, 'hex') AS hash, board_epoch AS "boardEpoch", board_seq AS "boardSeq"
       FROM feed WHERE room = $1 AND site = $2 ORDER BY ordinal DESC LIMIT 1 FOR UPDATE`,
      [room, this.#identity.siteId],
    );
    return rows[0];
  }

  #recordAfter(room: string, former: LatestEpoch | undefined): FeedEpochRecord {
    return {
      v: 1,
      room,
      site: this.#identity.siteId,
      epoch: encodeBase32(randomBytes(10)),
      ordinal: (former?.ordinal ?? -1) + 1,
      ...(former === undefined ? {} : { after: { epoch: former.epoch, n: former.n, hash: former.hash } }),
      at: new Date().toISOString(),
    };
  }
}

async function insertFeed(database: Queryable, record: FeedEpochRecord, envelope: Envelope): Promise<boolean> {
  const { room, site, epoch, ordinal } = record;
  const rows = await database.query(
    `INSERT INTO feed (room, site, epoch, ordinal, record) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT DO NOTHING RETURNING n`,
    [room, site, epoch, ordinal, JSON.stringify(envelope)],
  );
  return rows.length === 1;
}

/** A board that nobody has followed yet has no mark: its feed begins with its first event. */
async function startAt(transaction: Queryable, record: FeedEpochRecord, former?: LatestEpoch): Promise<void> {
  const { room, site, epoch } = record;
  const [mark] = await transaction.query<{ epoch: string; seq: number }>(
    'SELECT mark.epoch, seq FROM mark JOIN room USING (board) WHERE room.id = $1 ORDER BY seq DESC LIMIT 1',
    [room],
  );
  const stopped = former?.boardEpoch ?? undefined;
  const start = stopped === undefined ? mark : { epoch: stopped, seq: former!.boardSeq };
  if (start === undefined) return;
  await transaction.query(
    'UPDATE feed SET board_epoch = $4, board_seq = $5 WHERE room = $1 AND site = $2 AND epoch = $3',
    [room, site, epoch, start.epoch, start.seq],
  );
}
