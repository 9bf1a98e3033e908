import { createHash } from 'node:crypto';
import { limits, type Role, type TicketUseRequest } from '@boardwire/contracts';
import type { Queryable } from '@boardwire/database';
import { bounds } from '../bounds.ts';

export interface NewTicket {
  ticket: string;
  sessionId: string;
  transport: 'sse' | 'ws';
  board?: string;
  subjects?: readonly string[];
}

export interface UsedTicket {
  use: number;
  sessionId: string;
  sessionEndsAt: Date;
  userId: string;
  name: string;
  roles: Role[];
}

/** Tickets by their hash: who reads the table can't open a stream with it. */
export class TicketStore {
  /** Undefined when the session has ended or never was one of this site. */
  async issue(
    transaction: Queryable,
    { ticket, sessionId, transport, board, subjects }: NewTicket,
  ): Promise<Date | undefined> {
    const rows = await transaction.query<{ firstUseBy: Date }>(
      `INSERT INTO stream_ticket (ticket_hash, session_id, transport, board, subjects, first_use_by)
       SELECT $1, s.id, $3, $4, $5, now() + $6 * interval '1 millisecond'
       FROM session s WHERE s.id = $2 AND s.ended_at IS NULL AND s.expires_at > now()
       RETURNING first_use_by AS "firstUseBy"`,
      [ticketHash(ticket), sessionId, transport, board ?? null, subjects ?? null, limits.ticketFirstUseMs],
    );
    if (rows[0] !== undefined) await this.#trim(transaction, sessionId);
    return rows[0]?.firstUseBy;
  }

  /** One statement, so that of two who use a ticket at once each has a number of its own, and of a socket's one is refused. */
  async use(queryable: Queryable, request: TicketUseRequest): Promise<UsedTicket | undefined> {
    const { ticket, transport } = request;
    const [board, subjects] = request.transport === 'sse' ? [request.board, sortedSet(request.subjects)] : [null, null];
    const rows = await queryable.query<UsedTicket>(useTicket, [ticketHash(ticket), transport, board, subjects]);
    return rows[0];
  }

  /** Whether a ticket that was refused would have stood for another board or other subjects. */
  async isForOther(queryable: Queryable, { ticket, transport }: TicketUseRequest): Promise<boolean> {
    const rows = await queryable.query(`SELECT 1 ${living}`, [ticketHash(ticket), transport]);
    return rows.length > 0;
  }

  /** @returns whether there may be more to forget. */
  async forgetDead(queryable: Queryable): Promise<boolean> {
    const rows = await queryable.query(
      `DELETE FROM stream_ticket WHERE ticket_hash IN (
         SELECT t.ticket_hash FROM stream_ticket t JOIN session s ON s.id = t.session_id
         WHERE (t.uses = 0 AND t.first_use_by < now()) OR (t.transport = 'ws' AND t.uses > 0)
           OR s.ended_at IS NOT NULL OR s.expires_at < now()
         LIMIT ${deletedAtOnce}) RETURNING 1`,
    );
    return rows.length === deletedAtOnce;
  }

  /** Of too many the one that was longest of no use goes. */
  async #trim(transaction: Queryable, sessionId: string): Promise<void> {
    await transaction.query(
      `DELETE FROM stream_ticket WHERE ticket_hash IN (
         SELECT ticket_hash FROM stream_ticket WHERE session_id = $1
         ORDER BY coalesce(used_at, issued_at) DESC, ticket_hash OFFSET $2)`,
      [sessionId, bounds.ticketsPerSession],
    );
  }
}

export const sortedSet = (subjects: readonly string[]) => [...new Set(subjects)].toSorted();

export const ticketHash = (ticket: string) => createHash('sha256').update(ticket).digest();

const deletedAtOnce = 1_000;

const isAlive = `
  t.ticket_hash = $1 AND t.transport = $2 AND s.ended_at IS NULL AND s.expires_at > now() AND a.disabled_at IS NULL
    AND CASE WHEN t.uses = 0 THEN t.first_use_by > now() ELSE t.transport = 'sse' END`;

const living = `
  FROM stream_ticket t JOIN session s ON s.id = t.session_id JOIN account a ON a.id = s.account_id WHERE ${isAlive}`;

const useTicket = `
  UPDATE stream_ticket t SET uses = t.uses + 1, used_at = clock_timestamp()
  FROM session s JOIN account a ON a.id = s.account_id
  WHERE s.id = t.session_id AND ${isAlive}
    AND (t.transport = 'ws' OR (t.board = $3 AND t.subjects = $4::text[]))
  RETURNING t.uses AS use, s.id AS "sessionId", s.expires_at AS "sessionEndsAt", a.id AS "userId", a.name, a.roles`;
