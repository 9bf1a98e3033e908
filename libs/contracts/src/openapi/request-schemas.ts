import { z } from 'zod';
import {
  changeAccountSchema,
  createAccountSchema,
  guestSchema,
  loginSchema,
  logoutSchema,
  refreshSchema,
  registerSchema,
} from '../auth.ts';
import { changeBoardSchema, createBoardSchema } from '../board.ts';
import { cloudEventSchema } from '../cloud-event.ts';
import { plainEventSchema } from '../event.ts';
import {
  acceptInvitationRequestSchema,
  inviteRequestSchema,
  openRoomRequestSchema,
  peerDecisionRequestSchema,
} from '../federation/federation-admin.ts';
import { limits } from '../limits.ts';
import { setMembershipSchema } from '../member.ts';
import { ticketRequestSchema } from '../ticket.ts';

const exampleRoom = `br1${'a'.repeat(52)}`;
const cloudEventExample = {
  specversion: '1.0',
  id: '0190c5d5-6f0a-7c7e-8a3e-3f2b1c9d4e5f',
  source: '/users/0190c5d0-1111-7aaa-8bbb-0123456789ab',
  type: 'chat.message.posted',
  subject: 'AxonChat.lobby',
  time: '2026-03-01T09:30:00Z',
  data: { text: 'Hello' },
};

/** Bodies that clients send, by the name that they have in documents. Examples are checked against their schemas. */
export const requestSchemas = {
  Registration: { schema: registerSchema, example: { name: 'ana', password: 'correct horse battery' } },
  Credentials: { schema: loginSchema, example: { name: 'ana', password: 'correct horse battery' } },
  GuestEntry: { schema: guestSchema, example: { nickname: 'ana' } },
  RefreshRequest: { schema: refreshSchema, example: { refreshToken: 'w3Yp…' } },
  LogoutRequest: { schema: logoutSchema, example: {} },
  NewAccount: {
    schema: createAccountSchema,
    example: { name: 'importer', password: 'correct horse battery', roles: ['publisher'] },
  },
  AccountChange: { schema: changeAccountSchema, example: { roles: ['user', 'auditor'] } },
  TicketRequest: { schema: ticketRequestSchema, example: { board: 'events', subjects: ['AxonChat.>'] } },
  MembershipSet: { schema: setMembershipSchema, example: { subjects: ['dm.ana'] } },
  NewBoard: {
    schema: createBoardSchema,
    example: { slug: 'events', title: 'Events', rules: [{ pattern: 'GameScore.>', class: 'state' }] },
  },
  BoardChange: { schema: changeBoardSchema, example: { title: 'Events of the week' } },
  PlainEvent: {
    schema: plainEventSchema,
    example: { subject: 'AxonChat.lobby', type: 'chat.message.posted', data: { text: 'Hello' } },
  },
  CloudEvent: { schema: cloudEventSchema, example: cloudEventExample },
  CloudEventBatch: {
    schema: z.array(cloudEventSchema).min(1).max(limits.batchEventsMax),
    example: [cloudEventExample],
  },
  AxonchatMessage: { schema: z.looseObject({ text: z.string().min(1) }), example: { text: 'Hello' } },
  NewFederationRoom: { schema: openRoomRequestSchema, example: { board: 'events', alias: 'test-chat' } },
  FederationInvite: { schema: inviteRequestSchema, example: { room: exampleRoom, lifetimeSeconds: 3_600 } },
  FederationAcceptance: {
    schema: acceptInvitationRequestSchema,
    example: { invitation: 'bwi1.eyJzaXRlIjoi…', board: 'events' },
  },
  PeerDecision: { schema: peerDecisionRequestSchema, example: { reason: 'two headers at one place' } },
} as const satisfies Record<string, { schema: z.ZodType; example: unknown }>;
export type RequestName = keyof typeof requestSchemas;
