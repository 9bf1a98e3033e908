import { createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { limits } from '@boardwire/contracts';
import type { Queryable } from '@boardwire/database';
import { uuidv7 } from 'uuidv7';
import { nextControlVersion } from '../boards/board-store.ts';
import { bounds } from '../bounds.ts';
import type { Account } from './account-store.ts';

export interface OpenedSession {
  sessionId: string;
  refreshToken: string;
}

export interface FoundRefreshToken {
  sessionId: string;
  accountId: string;
  isUsed: boolean;
  isEnded: boolean;
  isExpired: boolean;
}

/**
 * Sessions, each with the family of refresh tokens that it was given one after the other. Each token follows from the
 * one before by a key of the site, so that a lost answer can be given again although only hashes are kept.
 */
export class SessionStore {
  readonly #key: Uint8Array;

  constructor(secret: string) {
    this.#key = new Uint8Array(hkdfSync('sha256', secret, '', 'boardwire chat refresh token v1', 32));
  }

  async open(transaction: Queryable, account: Account): Promise<OpenedSession> {
    const sessionId = uuidv7();
    await transaction.query(
      "INSERT INTO session (id, account_id, expires_at) VALUES ($1, $2, now() + $3 * interval '1 millisecond')",
      [sessionId, account.id, lifetimeMs(account)],
    );
    return { sessionId, refreshToken: await this.#giveToken(transaction, sessionId, firstToken()) };
  }

  /** Locks the token, so that of two who present it at once only one is first. */
  async findToken(transaction: Queryable, refreshToken: string): Promise<FoundRefreshToken | undefined> {
    const rows = await transaction.query<FoundRefreshToken>(
      `SELECT s.id AS "sessionId", s.account_id AS "accountId", t.used_at IS NOT NULL AS "isUsed",
         s.ended_at IS NOT NULL AS "isEnded", s.expires_at <= now() AS "isExpired"
       FROM refresh_token t JOIN session s ON s.id = t.session_id WHERE t.token_hash = $1 FOR UPDATE OF t, s`,
      [hashOf(refreshToken)],
    );
    return rows[0];
  }

  /**
   * Whether a token that was used comes from somebody who never got the answer: used a moment ago, and what it was
   * exchanged for has not been used. To be asked when its row is locked: two who present it at once follow each other.
   */
  async isRepeat(transaction: Queryable, refreshToken: string): Promise<boolean> {
    const rows = await transaction.query(
      `SELECT 1 FROM refresh_token t JOIN refresh_token n ON n.session_id = t.session_id
       WHERE t.token_hash = $1 AND n.token_hash = $2 AND n.used_at IS NULL
         AND t.used_at > clock_timestamp() - $3 * interval '1 millisecond'`,
      [hashOf(refreshToken), hashOf(this.nextToken(refreshToken)), limits.refreshGraceMs],
    );
    return rows.length > 0;
  }

  /** Uses the token up and prolongs the session. */
  async rotate(transaction: Queryable, account: Account, used: OpenedSession): Promise<OpenedSession> {
    await transaction.query('UPDATE refresh_token SET used_at = now() WHERE token_hash = $1', [
      hashOf(used.refreshToken),
    ]);
    await transaction.query("UPDATE session SET expires_at = now() + $2 * interval '1 millisecond' WHERE id = $1", [
      used.sessionId,
      lifetimeMs(account),
    ]);
    const next = this.nextToken(used.refreshToken);
    return { sessionId: used.sessionId, refreshToken: await this.#giveToken(transaction, used.sessionId, next) };
  }

  /** What a token is, or was, exchanged for. */
  nextToken(refreshToken: string): string {
    return createHmac('sha256', this.#key).update(refreshToken).digest('base64url');
  }

  /** Ends a session for everybody: a change of rights that `/sync` tells. False when it had ended before. */
  async end(transaction: Queryable, sessionId: string, reason: string): Promise<boolean> {
    const rows = await transaction.query<{ accountId: string }>(
      `UPDATE session SET ended_at = now(), end_reason = $2 WHERE id = $1 AND ended_at IS NULL
       RETURNING account_id AS "accountId"`,
      [sessionId, reason],
    );
    const ended = rows[0];
    if (ended === undefined) return false;
    await transaction.query(
      "INSERT INTO control_change (version, kind, session_id, account_id) VALUES ($1, 'session_revoked', $2, $3)",
      [await nextControlVersion(transaction), sessionId, ended.accountId],
    );
    return true;
  }

  async living(transaction: Queryable, accountId: string): Promise<string[]> {
    const rows = await transaction.query<{ id: string }>(
      'SELECT id FROM session WHERE account_id = $1 AND ended_at IS NULL',
      [accountId],
    );
    return rows.map(({ id }) => id);
  }

  /** Sessions are forgotten a month after they could last be used; a page at a time. */
  async forgetOld(queryable: Queryable): Promise<void> {
    await queryable.query(
      `DELETE FROM session WHERE id IN (
         SELECT id FROM session WHERE expires_at < now() - interval '30 days' LIMIT 1000)`,
    );
  }

  async #giveToken(transaction: Queryable, sessionId: string, token: string): Promise<string> {
    await transaction.query('INSERT INTO refresh_token (token_hash, session_id) VALUES ($1, $2)', [
      hashOf(token),
      sessionId,
    ]);
    return token;
  }
}

/** A token is 256 random bits: a plain hash hides it well enough from who reads the table. */
const hashOf = (token: string) => createHash('sha256').update(token).digest();

const firstToken = () => randomBytes(32).toString('base64url');

const lifetimeMs = ({ isGuest }: Account) => (isGuest ? bounds.guestSessionMs : limits.refreshTokenMs);
