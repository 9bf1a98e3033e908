import { federationLimits, type PeerScope } from '@boardwire/contracts';
import type { Queryable } from '@boardwire/database';
import { newInvitationSecret, secretHash } from './invitation-secret.ts';

export interface NewInvitation {
  room: string;
  scopes: readonly PeerScope[];
  subjects: readonly string[];
  /** The operator. */
  createdBy: string;
  /** At most {@link federationLimits.invitationLifetimeMs}. */
  lifetimeMs: number;
  /** The one site that it is for, whose fingerprint the operator knows already. */
  site?: string | undefined;
}

export interface StoredInvitation {
  room: string;
  scopes: PeerScope[];
  subjects: string[];
  createdBy: string;
  expiresAt: Date;
  /** The one site that it is for; null for whoever has it. */
  site: string | null;
}

/** As operators see it: without its secret. */
export interface ListedInvitation extends StoredInvitation {
  /** The hash of its secret, base64url. */
  id: string;
  createdAt: Date;
}

/** Why an invitation is worth nothing. */
export type InvitationRefusal = 'unknown' | 'expired' | 'used' | 'withdrawn' | 'of_another_site';

/** Invitations that this site has given out. */
export class InvitationStore {
  constructor(private readonly database: Queryable) {}

  /** @throws RangeError for a lifetime that is none, or longer than allowed */
  async create({
    room,
    scopes,
    subjects,
    createdBy,
    lifetimeMs,
    site,
  }: NewInvitation): Promise<{ id: string; secret: string; expiresAt: Date }> {
    const most = federationLimits.invitationLifetimeMs;
    if (!(lifetimeMs > 0 && lifetimeMs <= most)) throw new RangeError(`an invitation lasts up to ${most} ms`);
    const secret = newInvitationSecret();
    const hash = secretHash(secret);
    const [row] = await this.database.query<{ expiresAt: Date }>(
      `INSERT INTO invitation (secret_hash, room, scopes, subjects, created_by, expires_at, site)
       VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 millisecond', $7) RETURNING expires_at AS "expiresAt"`,
      [hash, room, scopes, subjects, createdBy, lifetimeMs, site ?? null],
    );
    return { id: hash.toString('base64url'), secret, expiresAt: row!.expiresAt };
  }

  /**
   * Uses an invitation up for a site, in one statement: of two who come with it at once one gets it. The same site may come
   * again with it while it lasts, since the answer to its first handshake may have been lost.
   */
  async use(secret: string, site: string): Promise<StoredInvitation | InvitationRefusal> {
    const hash = secretHash(secret);
    const [used] = await this.database.query<StoredInvitation>(
      `UPDATE invitation SET used_at = coalesce(used_at, now()), used_by = $2
       WHERE secret_hash = $1 AND (used_by IS NULL OR used_by = $2) AND (site IS NULL OR site = $2)
         AND expires_at > now() AND withdrawn_at IS NULL
       RETURNING room, scopes, subjects, created_by AS "createdBy", expires_at AS "expiresAt", site`,
      [hash, site],
    );
    return used ?? this.#refusal(hash, site);
  }

  /** Those that can still be used, the newest first. */
  async open(): Promise<ListedInvitation[]> {
    const rows = await this.database.query<Omit<ListedInvitation, 'id'> & { hash: Buffer }>(
      `SELECT secret_hash AS hash, room, scopes, subjects, created_by AS "createdBy", created_at AS "createdAt",
         expires_at AS "expiresAt", site
       FROM invitation WHERE used_by IS NULL AND withdrawn_at IS NULL AND expires_at > now() ORDER BY created_at DESC`,
    );
    return rows.map(({ hash, ...row }) => ({ id: hash.toString('base64url'), ...row }));
  }

  /** @param id the hash of its secret, base64url. False when there is no such invitation that could still be used. */
  async withdraw(id: string): Promise<boolean> {
    const rows = await this.database.query(
      `UPDATE invitation SET withdrawn_at = now()
       WHERE secret_hash = $1 AND used_by IS NULL AND withdrawn_at IS NULL AND expires_at > now() RETURNING room`,
      [Buffer.from(id, 'base64url')],
    );
    return rows.length > 0;
  }

  async #refusal(hash: Buffer, site: string): Promise<InvitationRefusal> {
    const [row] = await this.database.query<{ isWithdrawn: boolean; usedBy: string | null; isForSite: boolean }>(
      `SELECT withdrawn_at IS NOT NULL AS "isWithdrawn", used_by AS "usedBy", coalesce(site = $2, true) AS "isForSite"
       FROM invitation WHERE secret_hash = $1`,
      [hash, site],
    );
    if (row === undefined) return 'unknown';
    if (!row.isForSite) return 'of_another_site';
    if (row.isWithdrawn) return 'withdrawn';
    return row.usedBy === null || row.usedBy === site ? 'expired' : 'used';
  }
}
