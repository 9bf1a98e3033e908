import type { PeerScope } from '@boardwire/contracts';
import type { Queryable } from '@boardwire/database';
import { backoffMs } from './backoff.ts';
import { peerStateAfter, type PeerEvent, type PeerState } from './peer-state.ts';

export interface Peer {
  site: string;
  name: string;
  state: PeerState;
  isTrusted: boolean;
  failedAttempts: number;
  /** Undefined while it isn't failing. */
  dialAt: Date | undefined;
  contactAt: Date | undefined;
  reason: string | undefined;
  /** An operator has confirmed it, or invited it by its id; not one that was learnt of from other members. */
  isConfirmed: boolean;
}

export interface PeerRoom {
  room: string;
  scopes: PeerScope[];
  subjects: string[];
}

const columns = `site, name, state, is_trusted AS "isTrusted", failed_attempts AS "failedAttempts", dial_at AS "dialAt",
  contact_at AS "contactAt", reason, confirmed_at IS NOT NULL AS "isConfirmed"`;
const strikeWindow = `interval '10 minutes'`;
/** So many items that a peer is blamed for within ten minutes suspend it. */
const strikesMax = 3;

/** The sites that this one shares rooms with. */
export class PeerStore {
  constructor(
    private readonly database: Queryable,
    private readonly random: () => number = Math.random,
  ) {}

  async all(): Promise<Peer[]> {
    return (await this.database.query<PeerRow>(`SELECT ${columns} FROM peer ORDER BY site`)).map(peerOf);
  }

  async find(site: string): Promise<Peer | undefined> {
    const [row] = await this.database.query<PeerRow>(`SELECT ${columns} FROM peer WHERE site = $1`, [site]);
    return row === undefined ? undefined : peerOf(row);
  }

  /** Nobody else decides about it until the transaction ends; this store must be one over a transaction. */
  async lock(site: string): Promise<Peer | undefined> {
    const [row] = await this.database.query<PeerRow>(`SELECT ${columns} FROM peer WHERE site = $1 FOR UPDATE`, [site]);
    return row === undefined ? undefined : peerOf(row);
  }

  /** A site that is new here begins in this state; one that is known keeps its own. */
  async add(site: string, name: string, state: Extract<PeerState, 'invited' | 'handshake'>): Promise<Peer> {
    await this.database.query(
      'INSERT INTO peer (site, name, state) VALUES ($1, $2, $3) ON CONFLICT (site) DO UPDATE SET name = excluded.name',
      [site, name, state],
    );
    return (await this.find(site))!;
  }

  /**
   * A member of a room that others have let in: from now on a peer. One that is known keeps its state, also while it waits
   * for the operator's confirmation; one that was only invited is a peer by this.
   */
  async learn(site: string, name: string): Promise<void> {
    await this.database.query(
      `INSERT INTO peer (site, name, state) VALUES ($1, $2, 'catching_up') ON CONFLICT (site) DO UPDATE SET name = excluded.name,
         state = CASE WHEN peer.state = 'invited' THEN 'catching_up' ELSE peer.state END`,
      [site, name],
    );
  }

  /** What a room gives, unless the peer's rights in it were decided here. */
  async grantIfNone(site: string, { room, scopes, subjects }: PeerRoom): Promise<void> {
    await this.database.query(
      'INSERT INTO peer_room (site, room, scopes, subjects) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
      [site, room, scopes, subjects],
    );
  }

  /** What a peer may do with a room, instead of what it could. */
  async grant(site: string, { room, scopes, subjects }: PeerRoom): Promise<void> {
    await this.database.query(
      `INSERT INTO peer_room (site, room, scopes, subjects) VALUES ($1, $2, $3, $4)
       ON CONFLICT (site, room) DO UPDATE SET scopes = excluded.scopes, subjects = excluded.subjects`,
      [site, room, scopes, subjects],
    );
  }

  rooms(site: string): Promise<PeerRoom[]> {
    return this.database.query<PeerRoom>('SELECT room, scopes, subjects FROM peer_room WHERE site = $1 ORDER BY room', [
      site,
    ]);
  }

  /** What every peer may do with every room, by `<site> <room>`. */
  async grants(): Promise<Map<string, PeerScope[]>> {
    const rows = await this.database.query<Pick<PeerRoom, 'room' | 'scopes'> & { site: string }>(
      'SELECT site, room, scopes FROM peer_room',
    );
    return new Map(rows.map(({ site, room, scopes }) => [`${site} ${room}`, scopes]));
  }

  /**
   * Takes an event into account. Compared and set in one statement: a decision that another replica took meanwhile is not
   * undone by what this one saw. @returns the state now; undefined for a site that is no peer
   */
  async happened(site: string, event: PeerEvent, reason?: string): Promise<PeerState | undefined> {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- again when it has changed meanwhile
      const state = (await this.find(site))?.state;
      if (state === undefined) return undefined;
      const next = peerStateAfter(state, event);
      if (next === undefined || (next === state && reason === undefined && event !== 'shaken')) return state;
      // oxlint-disable-next-line no-await-in-loop
      const rows = await this.database.query(
        `UPDATE peer SET state = $3, reason = $4, changed_at = now(),
           confirmed_at = CASE WHEN $5 THEN coalesce(confirmed_at, now()) ELSE confirmed_at END
         WHERE site = $1 AND state = $2 RETURNING site`,
        [site, state, next, reason ?? null, event === 'shaken'],
      );
      if (rows.length > 0) return next;
    }
  }

  /** The other side has shown that it is there, with its key: the next dial is at once. */
  async contacted(site: string): Promise<void> {
    await this.database.query(
      `UPDATE peer SET failed_attempts = 0, failing_since = NULL, dial_at = NULL, contact_at = now() WHERE site = $1`,
      [site],
    );
  }

  /** An attempt to reach it has failed. @returns how long to wait, milliseconds */
  async failed(site: string): Promise<number> {
    const [row] = await this.database.query<{ attempts: number; forMs: number }>(
      `UPDATE peer SET failed_attempts = failed_attempts + 1, failing_since = coalesce(failing_since, now())
       WHERE site = $1
       RETURNING failed_attempts AS attempts, (extract(epoch FROM now() - failing_since) * 1000)::float8 AS "forMs"`,
      [site],
    );
    const waitMs = row === undefined ? 0 : backoffMs(row, this.random());
    await this.database.query(`UPDATE peer SET dial_at = now() + $2 * interval '1 millisecond' WHERE site = $1`, [
      site,
      waitMs,
    ]);
    return waitMs;
  }

  /** It is to blame for an item. @returns whether that has suspended it */
  async strike(site: string, reason: string): Promise<boolean> {
    await this.database.query('INSERT INTO peer_strike (site, reason) VALUES ($1, $2)', [site, reason]);
    await this.database.query(`DELETE FROM peer_strike WHERE site = $1 AND at < now() - ${strikeWindow}`, [site]);
    const [{ strikes }] = (await this.database.query<{ strikes: number }>(
      'SELECT count(*) AS strikes FROM peer_strike WHERE site = $1',
      [site],
    )) as [{ strikes: number }];
    if (strikes < strikesMax) return false;
    return (await this.happened(site, 'suspended', reason)) === 'suspended';
  }

  /** An operator has compared its fingerprint: its handshake goes on when it comes again. */
  async confirm(site: string): Promise<void> {
    await this.database.query('UPDATE peer SET confirmed_at = now() WHERE site = $1', [site]);
  }

  /** Those that have come with an invitation of this site, and whose fingerprint nobody has compared. */
  async toConfirm(): Promise<Set<string>> {
    const rows = await this.database.query<{ site: string }>(
      `SELECT site FROM peer WHERE confirmed_at IS NULL AND state NOT IN ('suspended', 'revoked') AND EXISTS
         (SELECT 1 FROM invitation WHERE used_by = peer.site AND expires_at > now() AND withdrawn_at IS NULL)`,
    );
    return new Set(rows.map(({ site }) => site));
  }

  /** One that an operator trusts may send more, see `federationLimits.trustedPeerFactor`. */
  async trust(site: string, isTrusted: boolean): Promise<void> {
    await this.database.query('UPDATE peer SET is_trusted = $2 WHERE site = $1', [site, isTrusted]);
  }

  /** An operator has looked at it: what it was blamed for is forgotten. */
  async resume(site: string): Promise<PeerState | undefined> {
    await this.database.query('DELETE FROM peer_strike WHERE site = $1', [site]);
    return this.happened(site, 'resumed');
  }
}

type PeerRow = Omit<Peer, 'dialAt' | 'contactAt' | 'reason'> & {
  dialAt: Date | null;
  contactAt: Date | null;
  reason: string | null;
};

function peerOf({ dialAt, contactAt, reason, ...row }: PeerRow): Peer {
  return { ...row, dialAt: dialAt ?? undefined, contactAt: contactAt ?? undefined, reason: reason ?? undefined };
}
