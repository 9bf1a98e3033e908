import { z } from 'zod';
import { traceSchema } from './audit/audit-entry.ts';
import { boardGrantSchema } from './auth.ts';
import { decodeBase64url, encodeBase64url } from './base64url.ts';
import { boardSchema, subjectRuleSchema } from './board.ts';
import { extensionValueSchema } from './cloud-event.ts';
import {
  eventClassSchema,
  eventIdSchema,
  eventSourceSchema,
  eventTypeSchema,
  subjectSchema,
  timeSchema,
} from './event.ts';
import { fieldErrorSchema, isErrorCode, type ErrorCode } from './errors.ts';
import { ignoresSchema } from './ignore.ts';
import { limits } from './limits.ts';

export const internalServices = ['gateway', 'chat', 'federation', 'audit', 'applets'] as const;
export type InternalService = (typeof internalServices)[number];

/** Headers of internal requests beside `Authorization: Bearer <service token>`. */
export const internalHeaders = {
  deadline: 'boardwire-deadline',
  idempotencyKey: 'idempotency-key',
  traceparent: 'traceparent',
  /** Base64url of the JSON of {@link forwardedIdentitySchema}: who the gateway authenticated. */
  identity: 'boardwire-identity',
  /** Address of the client behind a forwarded request, with or without an identity: attempts are limited by it. */
  address: 'boardwire-address',
} as const;

/** Who stands behind a request that the gateway forwards. Trusted because the service token is the gateway's. */
export const forwardedIdentitySchema = z.object({
  userId: z.string(),
  name: z.string(),
  roles: z.array(z.string()),
  sessionId: z.string(),
  address: z.string().optional(),
  /** What the identity may do on boards: an applet that publishes for someone checks it. */
  boards: z.array(boardGrantSchema).default([]),
});
export type ForwardedIdentity = z.infer<typeof forwardedIdentitySchema>;

/** The value of {@link internalHeaders.identity}. */
export function encodeIdentity(identity: ForwardedIdentity): string {
  return encodeBase64url(JSON.stringify(identity));
}

/** Reverses {@link encodeIdentity}; undefined for anything else. */
export function decodeIdentity(header: string | undefined): ForwardedIdentity | undefined {
  if (header === undefined) return undefined;
  try {
    return forwardedIdentitySchema.safeParse(JSON.parse(decodeBase64url(header))).data;
  } catch {
    return undefined;
  }
}

// ---- chat: append -------------------------------------------------------------------------------------------------

/** One event to append. `source` is already proven to be the author's own. */
export const appendItemSchema = z.strictObject({
  id: eventIdSchema,
  source: eventSourceSchema,
  type: eventTypeSchema,
  subject: subjectSchema,
  time: timeSchema.optional(),
  datacontenttype: z.string().optional(),
  dataschema: z.string().optional(),
  extensions: z.record(z.string(), extensionValueSchema).optional(),
  /** The edge has looked at it, and it comes out of a JSON parser: walking it again would cost more than the append. */
  data: z.custom<z.core.util.JSONType>((value) => value !== undefined).optional(),
  /** Instead of `data`. */
  data_base64: z.string().optional(),
  author: z.string().max(128),
  authorname: z.string().max(128),
});
export type AppendItem = z.infer<typeof appendItemSchema>;

/** `POST /internal/v1/boards/{board}/events`. */
export const appendRequestSchema = z.strictObject({
  items: z.array(appendItemSchema).min(1).max(limits.appendBatchEventsMax),
});
export type AppendRequest = z.infer<typeof appendRequestSchema>;

const errorCodeSchema = z.custom<ErrorCode>(isErrorCode);

/** `created` 201, `repeated` 200 with the first seq, `refused` with a code of the error table (409 for a conflict). */
export const appendOutcomeSchema = z.discriminatedUnion('outcome', [
  z.object({
    outcome: z.enum(['created', 'repeated']),
    id: z.string(),
    seq: z.number().int(),
    epoch: z.string(),
    time: z.string(),
  }),
  z.object({
    outcome: z.literal('refused'),
    id: z.string(),
    code: errorCodeSchema,
    detail: z.string().optional(),
    errors: z.array(fieldErrorSchema).optional(),
  }),
]);
export type AppendOutcome = z.infer<typeof appendOutcomeSchema>;
/** One outcome for each item, in the items' order. */
export const appendResponseSchema = z.object({ outcomes: z.array(appendOutcomeSchema) });
export type AppendResponse = z.infer<typeof appendResponseSchema>;

// ---- chat: sync, range, history -----------------------------------------------------------------------------------

export const syncBoardSchema = z.object({
  slug: z.string(),
  id: z.number().int(),
  epoch: z.string(),
  /** 0 for the board's first epoch, then 1, 2 …: numeric ids of dialects are ordinal · 2^40 + seq. */
  epochOrdinal: z.number().int().nonnegative(),
  head: z.number().int(),
  /** Highest seq that the mirror has acknowledged. */
  relayed: z.number().int(),
  timeZone: z.string(),
  rules: z.array(subjectRuleSchema),
  /** The first seq that the board still keeps: what was before it has outlived its retention. Absent: 1. */
  oldest: z.number().int().positive().optional(),
  /** Counts the events whose content was removed. Absent: 0. */
  removals: z.number().int().nonnegative().optional(),
});
export type SyncBoard = z.infer<typeof syncBoardSchema>;

export const revocationSchema = z.object({ sessionId: z.string(), userId: z.string(), at: z.string() });
export type Revocation = z.infer<typeof revocationSchema>;

/** Whose member of which of a board's `members` subjects someone is. The whole set: none ends every membership there. */
export const membershipSchema = z.object({ board: z.string(), userId: z.string(), subjects: z.array(z.string()) });
export type Membership = z.infer<typeof membershipSchema>;

/** What an account may do from `at` on: it takes the place of what its older tokens say. */
export const changedRightsSchema = z.object({
  userId: z.string(),
  at: z.string(),
  roles: z.array(z.string()),
  boards: z.array(boardGrantSchema),
});
export type ChangedRights = z.infer<typeof changedRightsSchema>;

/**
 * `GET /internal/v1/sync?since=V&wait=MS`: answers at once when something changed since V, else after `wait`
 * (at most 1 s). Without `since`, or when V is of another incarnation of chat, the answer is complete (`full: true`):
 * every board, and every revocation not older than a token's lifetime.
 */
export const syncResponseSchema = z.object({
  version: z.string(),
  full: z.boolean(),
  boards: z.array(syncBoardSchema),
  /** Slugs of boards that are gone. */
  removedBoards: z.array(z.string()),
  /** The id of this site, once it is known: the origin of every event that is accepted here. */
  origin: z.string().optional(),
  revocations: z.array(revocationSchema),
  /** Changed ones; with `full` all of them, in pages: see `more`. */
  memberships: z.array(membershipSchema).optional(),
  /** In the same way. */
  ignores: z.array(ignoresSchema).optional(),
  changedRights: z.array(changedRightsSchema).optional(),
  /**
   * Further memberships and ignores of a complete answer come with the next one: until then who isn't named may have some.
   */
  more: z.boolean().optional(),
});
export type SyncResponse = z.infer<typeof syncResponseSchema>;

/**
 * One seq of a board: the stored JSON as a string, exactly as stored, or a tombstone.
 * `GET /internal/v1/boards/{board}/range?from=&to=` answers every seq from `from` (inclusive) on, in order, at most
 * `limits.rangePageMax` of them and about 4 MiB; `head` tells how far there is more.
 */
export const rangeItemSchema = z.object({
  seq: z.number().int(),
  subject: z.string(),
  type: z.string(),
  class: eventClassSchema,
  /** Commit time, milliseconds since the Unix epoch. */
  committedMs: z.number(),
  datahash: z.string(),
  /** Hex; only where it was asked for with `salts=true`, and not on a tombstone. */
  salt: z.string().optional(),
  /** Stored event JSON; absent on a tombstone. */
  body: z.string().optional(),
  removed: z.object({ id: z.string() }).optional(),
});
export type RangeItem = z.infer<typeof rangeItemSchema>;
export const rangePageSchema = z.object({
  board: z.string(),
  epoch: z.string(),
  head: z.number().int(),
  /** As in {@link syncBoardSchema}: a range that begins before it is answered from there on. */
  oldest: z.number().int().positive().optional(),
  items: z.array(rangeItemSchema),
});
export type RangePage = z.infer<typeof rangePageSchema>;

/**
 * `POST /internal/v1/boards/{board}/history`: events whose subject matches one of `subjects` (filters already
 * intersected with the reader's rights), in chronological order. With `memberSubjects`, `subjects` reach the board's open
 * subjects alone, and its `members` subjects are those that `memberSubjects` match.
 * `after`: the first `limit` with seq > after. `before`: the newest `limit` with seq < before. Neither: the newest.
 */
export const historyQuerySchema = z.strictObject({
  subjects: z.array(z.string()).max(1_024),
  memberSubjects: z.array(z.string()).max(1_024).optional(),
  types: z.array(z.string()).max(32).optional(),
  after: z.number().int().nonnegative().optional(),
  before: z.number().int().nonnegative().optional(),
  /** Only events up to this seq, so that a replay has a fixed end. */
  upTo: z.number().int().nonnegative().optional(),
  limit: z.number().int().min(1).max(limits.historyPageMax),
  /** A page ends before the event that would bring its bodies over so many bytes; the first one always fits. */
  bytesMax: z.number().int().min(1).optional(),
  /** Also answer how many match with seq > after (or 0) and seq ≤ upTo (or head), counted up to this many. */
  countMax: z.number().int().min(1).max(1_000_000).optional(),
});
export type HistoryQuery = z.infer<typeof historyQuerySchema>;
/** `more`: whether there are further matching events in the direction asked for. */
export const historyPageSchema = z.object({
  board: z.string(),
  epoch: z.string(),
  head: z.number().int(),
  /** As in {@link syncBoardSchema}: nothing before it is in any page. */
  oldest: z.number().int().positive().optional(),
  items: z.array(rangeItemSchema),
  more: z.boolean(),
  /** Present when the query had `countMax`. */
  count: z.number().int().nonnegative().optional(),
});
export type HistoryPage = z.infer<typeof historyPageSchema>;

/** `GET /internal/v1/boards`, `GET|PATCH /internal/v1/boards/{board}`, `POST /internal/v1/boards`. */
export const boardListSchema = z.object({ boards: z.array(boardSchema) });

/** `GET /internal/v1/identity` of federation. */
export const siteIdentitySchema = z.object({ siteId: z.string(), rootPublicKey: z.string() });
export type SiteIdentity = z.infer<typeof siteIdentitySchema>;

// ---- audit: decisions ---------------------------------------------------------------------------------------------

/** A decision of the platform outside boards, numbered densely by the service that took it. */
export const decisionSchema = z.strictObject({
  /** Dense per (service, stream): the caller's outbox position, starting at 1. */
  number: z.number().int().positive(),
  action: z.string().max(128),
  outcome: z.enum(['allowed', 'refused', 'done', 'failed']),
  actor: z.string().max(256),
  at: timeSchema,
  board: z.string().optional(),
  detail: z.record(z.string(), z.json()).optional(),
  /** The W3C trace that the decision was taken in; kept with the detail. */
  trace: traceSchema.optional(),
});
export type Decision = z.infer<typeof decisionSchema>;
/** `POST /internal/v1/decisions`; answers `{received: highest number stored}`; repeats are harmless. */
export const decisionBatchSchema = z.strictObject({
  service: z.string().max(64),
  decisions: z.array(decisionSchema).min(1).max(512),
});
export type DecisionBatch = z.infer<typeof decisionBatchSchema>;
export const decisionReceiptSchema = z.object({ received: z.number().int() });

// ---- every service ------------------------------------------------------------------------------------------------

export const loopStatusSchema = z.object({
  name: z.string(),
  alive: z.boolean(),
  startedAt: z.string().nullable(),
  lastBeatAt: z.string().nullable(),
  restarts: z.number().int(),
  lastError: z.string().nullable(),
});
export type LoopStatus = z.infer<typeof loopStatusSchema>;

export const boardStatusSchema = z.object({
  board: z.string(),
  head: z.number().int().optional(),
  relayed: z.number().int().optional(),
  position: z.number().int().optional(),
  subscribers: z.number().int().optional(),
});
/** `GET /internal/v1/status` of every service: what `npm run status` prints. */
export const serviceStatusSchema = z.object({
  service: z.string(),
  status: z.string(),
  reasons: z.array(z.string()),
  loops: z.array(loopStatusSchema),
  boards: z.array(boardStatusSchema),
  queues: z.record(z.string(), z.number()),
});
export type ServiceStatus = z.infer<typeof serviceStatusSchema>;
