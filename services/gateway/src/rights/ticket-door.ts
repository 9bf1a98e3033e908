import { ticketUseAnswerSchema, type Role, roleSchema, type TicketUseRequest } from '@boardwire/contracts';
import { AppError, type InternalClient } from '@boardwire/service-kit';
import type { Access } from './access.ts';

/** Who stands behind a ticket, and which use of it this is. */
export interface RedeemedTicket {
  access: Access;
  use: number;
}

export interface TicketDoorOptions {
  chat: InternalClient;
  onRefused: (reason: string) => void;
}

const route = '/internal/v1/stream-tickets/use';

/** Asks chat for whom a ticket stands, at each use: nothing of a ticket is kept here but its hash while its stream is open. */
export class TicketDoor {
  readonly #options: TicketDoorOptions;

  constructor(options: TicketDoorOptions) {
    this.#options = options;
  }

  /** @throws AppError `ticket_refused`, `forbidden` for another board or subjects, or one that a return later can mend. */
  async redeem(body: TicketUseRequest): Promise<RedeemedTicket> {
    const issuedMs = Date.now();
    const { chat, onRefused } = this.#options;
    try {
      const answer = await chat.request({ method: 'POST', path: route, route, body, schema: ticketUseAnswerSchema });
      const { userId, name, roles, sessionId, sessionEndsAt, boards, use } = answer;
      const expiresMs = Date.parse(sessionEndsAt);
      const access = { userId, name, roles: roles.filter(isRole), sessionId, issuedMs, expiresMs, grants: boards };
      return { access, use };
    } catch (error) {
      if (error instanceof AppError && (error.status === 401 || error.status === 403)) onRefused(error.code);
      throw error;
    }
  }
}

const isRole = (role: string): role is Role => roleSchema.safeParse(role).success;
