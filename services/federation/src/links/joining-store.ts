import type { Invitation } from '@boardwire/contracts';
import type { Queryable } from '@boardwire/database';
import type { KeyVault } from '../identity/key-vault.ts';

/** A room that this site is invited to and not yet in. */
export interface Joining {
  room: string;
  site: string;
  endpoints: string[];
  board: string;
  secret: string;
  isExpired: boolean;
  attempts: number;
}

type Row = Omit<Joining, 'secret'> & { sealed: Buffer };

const retryMs = { min: 2_000, max: 60_000 };

/** Accepted invitations; what is secret in them is sealed, and goes when it has been used. */
export class JoiningStore {
  constructor(
    private readonly database: Queryable,
    private readonly vault: KeyVault,
  ) {}

  /** A newer invitation to the same room takes the place of an older one. False when another room is to have this board. */
  async add({ room, site, endpoints, expires, secret }: Invitation, board: string): Promise<boolean> {
    const sealed = this.vault.seal(nameOf(room), Buffer.from(secret));
    const rows = await this.database.query(
      `INSERT INTO joining (room, site, endpoints, board, sealed, expires_at)
       SELECT $1, $2, $3, $4, $5, $6 WHERE NOT EXISTS (SELECT 1 FROM joining WHERE board = $4 AND room <> $1)
       ON CONFLICT (room) DO UPDATE SET site = excluded.site, endpoints = excluded.endpoints, board = excluded.board,
         sealed = excluded.sealed, expires_at = excluded.expires_at, attempts = 0, next_at = now()
       RETURNING room`,
      [room, site, endpoints, board, sealed, expires],
    );
    return rows.length > 0;
  }

  /** Those whose next attempt is due. */
  async due(): Promise<Joining[]> {
    const rows = await this.database.query<Row>(
      `SELECT room, site, endpoints, board, sealed, attempts, expires_at < now() AS "isExpired"
       FROM joining WHERE next_at <= now() ORDER BY next_at LIMIT 16`,
    );
    return rows.map(({ sealed, ...row }) => ({
      ...row,
      secret: this.vault.open(nameOf(row.room), sealed).plain.toString(),
    }));
  }

  /** Tried without success, or still pending: every 2 s at first, then more and more seldom up to once a minute. */
  async later({ room, attempts }: Joining, askedMs = 0): Promise<void> {
    const waitMs = Math.max(askedMs, Math.min(retryMs.max, retryMs.min * 1.5 ** Math.min(attempts, 16)));
    await this.database.query(
      `UPDATE joining SET attempts = attempts + 1, next_at = now() + $2 * interval '1 millisecond' WHERE room = $1`,
      [room, waitMs],
    );
  }

  async remove(room: string): Promise<void> {
    await this.database.query('DELETE FROM joining WHERE room = $1', [room]);
  }
}

const nameOf = (room: string) => `joining/${room}`;
