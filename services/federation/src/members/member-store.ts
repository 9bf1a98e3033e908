import type { FeedPosition } from '@boardwire/contracts';
import type { Queryable } from '@boardwire/database';
import type { Envelope } from '@boardwire/signing';
import type { MembershipRecord } from './membership-record.ts';

export interface StoredMember {
  site: string;
  ordinal: number;
  isMember: boolean;
  upToEpoch: string | null;
  envelope: Envelope;
}

export interface FeedRecord {
  epoch: string;
  record: Envelope;
}

const columns = `site, ordinal, is_member AS "isMember", up_to_epoch AS "upToEpoch", envelope`;

/** The membership records of rooms, one of each site. */
export class MemberStore {
  readonly #database: Queryable;

  constructor(database: Queryable) {
    this.#database = database;
  }

  all(room: string): Promise<StoredMember[]> {
    return this.#database.query<StoredMember>(`SELECT ${columns} FROM room_member WHERE room = $1 ORDER BY site`, [
      room,
    ]);
  }

  async find(room: string, site: string): Promise<StoredMember | undefined> {
    const rows = await this.#database.query<StoredMember>(
      `SELECT ${columns} FROM room_member WHERE room = $1 AND site = $2`,
      [room, site],
    );
    return rows[0];
  }

  /** Keeps a record if it holds over the one that is known; one statement, so that of two at once the right one stays. */
  async put({ content, envelope }: MembershipRecord): Promise<boolean> {
    const { room, member, ordinal, action, upTo } = content;
    const rows = await this.#database.query(
      `INSERT INTO room_member AS known (room, site, ordinal, is_member, up_to_epoch, up_to_n, envelope)
       VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (room, site) DO UPDATE SET ordinal = excluded.ordinal, is_member = excluded.is_member,
         up_to_epoch = excluded.up_to_epoch, up_to_n = excluded.up_to_n, envelope = excluded.envelope
       WHERE known.ordinal < excluded.ordinal
         OR (known.ordinal = excluded.ordinal AND known.is_member AND NOT excluded.is_member)
       RETURNING site`,
      [room, member, ordinal, action === 'added', upTo?.epoch ?? null, upTo?.n ?? null, JSON.stringify(envelope)],
    );
    return rows.length > 0;
  }

  /** Nobody else decides about this room's members until the transaction ends. */
  async lock(room: string): Promise<void> {
    await this.#database.query('SELECT 1 FROM room WHERE id = $1 FOR UPDATE', [room]);
  }

  /** The newest epoch of a site's feed, and how far it is known. */
  async position(room: string, site: string): Promise<FeedPosition | undefined> {
    const rows = await this.#database.query<{ epoch: string; n: number; hash: string }>(
      `SELECT epoch, n, encode(hash, 'hex') AS hash FROM feed WHERE room = $1 AND site = $2
       ORDER BY ordinal DESC LIMIT 1`,
      [room, site],
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    return row.n === 0 ? { epoch: row.epoch, n: 0 } : row;
  }

  /** The records of a room's feeds by site, the oldest of each first. */
  async epochs(room: string): Promise<Map<string, FeedRecord[]>> {
    const rows = await this.#database.query<FeedRecord & { site: string }>(
      'SELECT site, epoch, record FROM feed WHERE room = $1 ORDER BY site, ordinal',
      [room],
    );
    const bySite = new Map<string, FeedRecord[]>();
    for (const { site, ...record } of rows) bySite.set(site, [...(bySite.get(site) ?? []), record]);
    return bySite;
  }
}
