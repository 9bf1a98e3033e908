import { z } from 'zod';
/** The NATS inventory: everything on the bus is declared here, once. */
export interface StreamDefinition {
  name: string;
  subjects: string[];
  maxAgeMs: number;
  maxBytes: number;
  duplicateWindowMs: number;
  /** Of a site with one server; NATS_REPLICAS says otherwise. */
  replicas: number;
}

export const boardsStream: StreamDefinition = {
  name: 'BOARDS',
  subjects: ['board.>'],
  maxAgeMs: 3 * 24 * 3_600_000,
  maxBytes: 2 * 1024 ** 3,
  duplicateWindowMs: 30_000,
  replicas: 1,
};

/**
 * The newest signed checkpoint of the audit log, outside the database that holds the log: whoever restores that database
 * is told by it that more was signed. The stream keeps the last ones; only the newest counts.
 */
export const auditStream: StreamDefinition = {
  name: 'AUDIT',
  subjects: ['audit.checkpoint.*'],
  maxAgeMs: 0,
  maxBytes: 16 * 1024 ** 2,
  duplicateWindowMs: 30_000,
  replicas: 1,
};
export const checkpointSubject = (logId: string) => `audit.checkpoint.${logId}`;

export const durables = { audit: 'audit-v1', federation: 'federation-v1' } as const;

/** Headers of a mirrored event; the gateway decodes these and never the payload. */
export const busHeaders = {
  messageId: 'Nats-Msg-Id',
  seq: 'Board-Seq',
  epoch: 'Board-Epoch',
  type: 'Event-Type',
  class: 'Event-Class',
  /** Commit time, milliseconds since the Unix epoch. */
  time: 'Event-Time',
  /** Hex SHA-256 of salt ‖ data: the audit record and the federation header hold it. */
  datahash: 'Event-Datahash',
  /** The pod that published a core message: it has delivered it to its own clients. */
  pod: 'Boardwire-Pod',
} as const;

export const boardSubject = (board: string, subject: string) => `board.${board}.${subject}`;
export const boardSubjects = (board: string) => `board.${board}.>`;
export const messageId = (board: string, epoch: string, seq: number) => `${board}:${epoch}:${seq}`;

/** Reverses {@link boardSubject}: board slugs hold no dot. */
export function parseBoardSubject(busSubject: string): { board: string; subject: string } | undefined {
  if (!busSubject.startsWith('board.')) return undefined;
  const dot = busSubject.indexOf('.', 6);
  return dot < 7 || dot === busSubject.length - 1
    ? undefined
    : { board: busSubject.slice(6, dot), subject: busSubject.slice(dot + 1) };
}

/** Reverses `coreSubjects.ephemeral`. */
export function parseEphemeralSubject(busSubject: string): { board: string; subject: string } | undefined {
  return busSubject.startsWith('eph.') ? parseBoardSubject(`board.${busSubject.slice(4)}`) : undefined;
}

export const ticketUseSchema = z.object({
  /** Hex SHA-256 of the ticket. */
  ticket: z.string(),
  /** Counts the ticket's uses: 1, 2, 3 … */
  use: z.number().int().positive(),
});
export type TicketUse = z.infer<typeof ticketUseSchema>;

/** Core subjects: hints and ephemeral traffic, never stored. */
export const coreSubjects = {
  boardAppended: 'ctl.board.appended',
  boardChanged: 'ctl.board.changed',
  sessionRevoked: 'ctl.session.revoked',
  /** A ticket was used again: whoever holds an older stream of it ends that. Payload: {@link TicketUse}. */
  ticketUsed: 'ctl.ticket.used',
  ephemeral: (board: string, subject: string) => `eph.${board}.${subject}`,
  ephemeralAll: 'eph.>',
  /** Beats and deltas of a pod; what only it shall read goes to `presence.ask.<pod>`. */
  presence: (pod: string) => `presence.pod.${pod}`,
  presenceAll: 'presence.pod.*',
  presenceAsk: (pod: string) => `presence.ask.${pod}`,
  typing: (board: string) => `typing.${board}`,
  typingAll: 'typing.*',
} as const;
