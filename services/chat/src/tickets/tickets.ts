import { randomBytes } from 'node:crypto';
import type { TicketAnswer, TicketRequest, TicketUseAnswer, TicketUseRequest } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import { AppError } from '@boardwire/service-kit';
import { AttemptLimiter } from '../accounts/attempt-limiter.ts';
import { grantsOf } from '../accounts/rights.ts';
import type { BoardWatch } from '../boards/board-watch.ts';
import { bounds } from '../bounds.ts';
import { available } from '../store/available.ts';
import { sortedSet, ticketHash, type TicketStore } from './ticket-store.ts';

export interface TicketsOptions {
  database: Database;
  store: TicketStore;
  boards: BoardWatch;
  /** A ticket was used again: older streams of it are to end. `ticket` is its hash in hex. */
  onUsedAgain: (use: { ticket: string; use: number }) => void;
}

const uuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

/** Tickets open streams of clients that can't set headers, so that tokens stay out of addresses. */
export class Tickets {
  readonly #attempts = new AttemptLimiter({ windowMs: bounds.attemptsWindowMs, keysMax: bounds.attemptKeysMax });

  constructor(private readonly options: TicketsOptions) {}

  async issue(request: TicketRequest, sessionId: string): Promise<TicketAnswer> {
    const { database, store, boards } = this.options;
    // Who comes with a token of another issuer has no session here that a ticket could end with.
    if (!uuid.test(sessionId)) throw new AppError('forbidden', { detail: 'tickets are for sessions of this site' });
    this.#attempts.assertMay({ [sessionId]: bounds.ticketsPerMinute });
    this.#attempts.note([sessionId]);
    if (request.transport === 'sse' && (await boards.find(request.board)) === undefined) {
      throw new AppError('board_unknown');
    }
    const ticket = randomBytes(32).toString('base64url');
    const bound =
      request.transport === 'sse' ? { board: request.board, subjects: sortedSet(request.subjects) } : undefined;
    const firstUseBy = await available(() =>
      database.transaction((transaction) =>
        store.issue(transaction, { ticket, sessionId, transport: request.transport, ...bound }),
      ),
    );
    if (firstUseBy === undefined) throw new AppError('token_revoked');
    return { ticket, firstUseBy: firstUseBy.toISOString() };
  }

  /** Who stands behind a ticket, with what the account may do now. */
  async use(request: TicketUseRequest): Promise<TicketUseAnswer> {
    const { database, store, boards, onUsedAgain } = this.options;
    const used = await available(() => store.use(database, request));
    if (used === undefined) {
      if (await available(() => store.isForOther(database, request))) {
        throw new AppError('forbidden', { detail: 'the ticket is for another board or other subjects' });
      }
      throw new AppError('ticket_refused');
    }
    const { use, sessionEndsAt, roles, ...who } = used;
    if (use > 1) onUsedAgain({ ticket: ticketHash(request.ticket).toString('hex'), use });
    const slugs = boards.all().map(({ slug }) => slug);
    return { ...who, roles, use, sessionEndsAt: sessionEndsAt.toISOString(), boards: grantsOf(roles, slugs) };
  }
}
