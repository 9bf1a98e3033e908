import { z } from 'zod';
import {
  auditCheckpointsSchema,
  auditConsistencySchema,
  auditDaysSchema,
  auditFacetsSchema,
  auditDisclosureSchema,
  auditHealthSchema,
  auditPageSchema,
  auditProofSchema,
} from '../audit/audit-answers.ts';
import { auditEntrySchema } from '../audit/audit-entry.ts';
import { decisionAuditDaySchema, decisionAuditLatestSchema, tradingRefusalSchema } from '../audit/decision-audit.ts';
import { jwksSchema, sessionSchema, userSchema } from '../auth.ts';
import { boardSchema } from '../board.ts';
import { problem, problemSchema } from '../errors.ts';
import { storedEventSchema } from '../event.ts';
import { signedSiteDocumentSchema } from '../federation/site-document.ts';
import { ignoreListSchema } from '../ignore.ts';
import { boardListSchema, membershipSchema } from '../internal.ts';
import { memberListSchema } from '../member.ts';
import {
  batchOutcomeSchema,
  ephemeralReceiptSchema,
  historyAnswerSchema,
  presenceAnswerSchema,
  publishReceiptSchema,
  stateAnswerSchema,
} from '../publish.ts';
import { ticketAnswerSchema } from '../ticket.ts';
import { federationAnswers } from './federation-answers.ts';

const time = '2026-03-01T09:30:00.000Z';
const user = { id: '0190c5d0-1111-7aaa-8bbb-0123456789ab', name: 'ana', roles: ['user' as const] };
const membership = { board: 'events', userId: user.id, subjects: ['dm.ana'] };
const epoch = 'k3v9x2m1';
const hash = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const board = {
  slug: 'events',
  id: 1,
  title: 'Events',
  is_realtime: true,
  time_zone: 'UTC',
  retention: { days: null },
  rules: [{ pattern: 'GameScore.>', class: 'state' as const, access: 'open' as const }],
  federation_room_id: null,
  trusted_peers: [],
  epoch,
  head: 42,
  subscribers: 3,
};
const receipt = { id: 'e-42', board: 'events', seq: 42, cursor: `${epoch}-42`, time };
const item = {
  cursor: `${epoch}-42`,
  specversion: '1.0' as const,
  id: 'e-42',
  source: `/users/${user.id}`,
  type: 'chat.message.posted',
  subject: 'AxonChat.lobby',
  time,
  datacontenttype: 'application/json',
  data: { text: 'Hello' },
  board: 'events',
  author: user.id,
  authorname: 'ana',
  origin: 'bs1example',
  class: 'log' as const,
};
const checkpoint = 'boardwire/bs1example\n7\nn4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=\n';
const entry = {
  seq: 6,
  day: '2026-03-01',
  time_zone: 'UTC',
  kind: 'event' as const,
  time,
  event_time: time,
  action: 'chat.message.posted',
  outcome: 'done',
  actor: user.id,
  origin: 'bs1example',
  board: 'events',
  board_epoch: epoch,
  board_seq: 42,
  subject: 'AxonChat.lobby',
  type: 'chat.message.posted',
  event_id: 'e-42',
  datahash: hash,
  leaf_hash: hash,
  record: '{"v":1}',
  trace: null,
  peer: null,
  readiness: null,
  symbol: null,
  forced_hold: null,
  detail_state: 'redacted' as const,
  detail: null,
};

const decisionAudit = {
  trader_id: 'agent-7',
  day_key: '2026-03-01',
  saved_ts_ms: 1_772_357_400_000,
  timestamp: time,
  cycle_number: 12,
  symbol: 'BTC-USD',
  action: 'HOLD',
  decision_source: 'readiness',
  forced_hold: true,
  order_executed: false,
  data_readiness: { level: 'ERROR' as const, reasons: ['stale prices'] },
  audit_seq: 6,
};

/** A stored event as history, state and streams bring it; attributes that its publisher added come as well. */
export const historyItemSchema = storedEventSchema.extend({ cursor: z.string() });

/** Bodies that the site answers, by the name that they have in documents. Examples are checked against their schemas. */
export const answerSchemas = {
  ChangedAccount: { schema: userSchema.extend({ disabled: z.boolean() }), example: { ...user, disabled: false } },
  Ticket: { schema: ticketAnswerSchema, example: { ticket: 'mJk3…', firstUseBy: time } },
  Membership: { schema: membershipSchema, example: membership },
  MemberList: { schema: memberListSchema, example: { members: [membership], next: null } },
  Problem: { schema: problemSchema, example: problem('board_unknown') },
  Session: {
    schema: sessionSchema,
    example: { accessToken: 'eyJ…', expiresAt: time, refreshToken: 'w3Yp…', user },
  },
  User: { schema: userSchema, example: user },
  KeySet: {
    schema: jwksSchema,
    example: { keys: [{ kty: 'OKP', crv: 'Ed25519', kid: 'k1', use: 'sig', alg: 'EdDSA', x: '11qYAYKxCrfVS_7TyWQH' }] },
  },
  Board: { schema: boardSchema, example: board },
  BoardList: { schema: boardListSchema, example: { boards: [board] } },
  Receipt: { schema: publishReceiptSchema, example: receipt },
  PublishAnswer: {
    schema: z.union([publishReceiptSchema, ephemeralReceiptSchema, z.array(batchOutcomeSchema)]),
    example: receipt,
  },
  HistoryItem: { schema: historyItemSchema, example: item },
  HistoryBatch: { schema: z.array(historyItemSchema), example: [item] },
  History: {
    schema: historyAnswerSchema.extend({ events: z.array(historyItemSchema) }),
    example: {
      board: 'events',
      epoch,
      oldest: `${epoch}-0`,
      head: `${epoch}-42`,
      events: [item],
      next: null,
      prev: `${epoch}-42`,
    },
  },
  State: {
    schema: stateAnswerSchema.extend({ events: z.array(historyItemSchema) }),
    example: {
      board: 'events',
      epoch,
      oldest: `${epoch}-0`,
      head: `${epoch}-42`,
      events: [item],
      next: null,
      prev: null,
      complete: true,
    },
  },
  IgnoreList: { schema: ignoreListSchema, example: { authors: [user.id] } },
  Presence: { schema: presenceAnswerSchema, example: { count: 1, users: [{ id: user.id, name: 'ana' }] } },
  AuditEntry: { schema: auditEntrySchema, example: entry },
  AuditPage: { schema: auditPageSchema, example: { entries: [entry], next: '6', size: 7 } },
  AuditFacets: {
    schema: auditFacetsSchema,
    example: {
      facets: {
        kind: [{ value: 'event', count: 7 }],
        action: [{ value: 'publish', count: 7 }],
        outcome: [{ value: 'done', count: 7 }],
        board: [{ value: 'events', count: 7 }],
        actor: [{ value: user.id, count: 7 }],
        site: [{ value: 'bs1example', count: 7 }],
        type: [{ value: 'chat.message.posted', count: 7 }],
        readiness: [],
      },
      counted: 7,
      is_complete: true,
    },
  },
  AuditDays: { schema: auditDaysSchema, example: { days: [{ day: '2026-03-01', entries: 7 }] } },
  AuditProof: { schema: auditProofSchema, example: { seq: 6, index: 6, size: 7, proof: [hash], checkpoint } },
  AuditConsistency: { schema: auditConsistencySchema, example: { from: 3, to: 7, proof: [hash] } },
  AuditDisclosure: {
    schema: auditDisclosureSchema,
    example: { seq: 6, salt: '00112233445566778899aabbccddeeff', data: 'eyJ0ZXh0IjoiSGVsbG8ifQ==' },
  },
  AuditCheckpoints: {
    schema: auditCheckpointsSchema,
    example: { checkpoints: [{ size: 7, root: hash, at: '2026-03-01T12:00:00.000Z', note: checkpoint }] },
  },
  AuditHealth: {
    schema: auditHealthSchema,
    example: {
      size: 7,
      checkpoint: { size: 7, ageMs: 320, root: hash },
      boards: [{ board: 'events', epoch, head: 42, audited: 42, gaps: 0 }],
      gaps: 0,
      first_seq: 0,
      epoch: 'kfzwi3tx',
      former: [],
      gap_list: [],
      witnesses: [
        {
          name: 'boardwire/witness/bs1example',
          key: 'boardwire/witness/bs1example+8a3c1f02+BJwJDCIH6mRPbbJtnLiQ/2V4CBUmsQBw8Nd4YXDWN60R',
          epoch: 'kfzwi3tx',
          size: 7,
          at: '2026-03-01T12:00:03.000Z',
          ageMs: 4_100,
        },
      ],
      legal_hold: false,
      retention_days: null,
      detail_days: 90,
      scrub: { rounds: 3, findings: [] },
    },
  },
  SiteDocument: {
    schema: signedSiteDocumentSchema,
    example: {
      payloadType: 'application/vnd.boardwire.site+json' as const,
      payload: 'eyJ2ZXIiOjF9',
      signatures: [{ keyid: 'root-1', sig: 'MEUCIQ' }],
    },
  },
  ...federationAnswers,
  Document: { schema: z.looseObject({}), example: { openapi: '3.1.0' } },
  AxonchatPosted: {
    schema: z.object({ status: z.literal('message posted'), message_id: z.union([z.number(), z.string()]) }),
    example: { status: 'message posted', message_id: 42 },
  },
  DecisionAudits: {
    schema: decisionAuditLatestSchema,
    example: { success: true as const, data: { trader_id: 'agent-7', count: 1, records: [decisionAudit] } },
  },
  DecisionAuditDay: {
    schema: decisionAuditDaySchema,
    example: {
      success: true as const,
      data: { trader_id: 'agent-7', day_key: '2026-03-01', count: 1, records: [decisionAudit] },
    },
  },
  TradingRefusal: { schema: tradingRefusalSchema, example: { success: false as const, error: 'agent_not_registered' } },
  AxonchatRefusal: { schema: z.object({ error: z.string() }), example: { error: 'Message text cannot be empty.' } },
} as const satisfies Record<string, { schema: z.ZodType; example: unknown }>;
export type AnswerName = keyof typeof answerSchemas;
