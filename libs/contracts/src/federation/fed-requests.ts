import { z } from 'zod';
import { filterSchema } from '../board.ts';
import { envelopeSchema } from './envelope.ts';
import { feedEpochSchema, hashSchema, roomIdSchema, siteIdSchema, wireItemSchema } from './feed-header.ts';
import { federationLimits } from './federation-limits.ts';
import { feedVectorSchema } from './federation-room.ts';
import { memberBundleSchema, memberBundlesSchema } from './membership.ts';

/** What a peer may do with a room: get its events, add its own, pass on those of others. */
export const peerScopes = ['read', 'write', 'relay'] as const;
export const peerScopeSchema = z.enum(peerScopes);
export type PeerScope = z.infer<typeof peerScopeSchema>;

/** Paths of BF/1; each is signed by the hop profile, requests and answers. */
export const federationPaths = {
  handshake: '/fed/v1/handshake',
  head: (room: string) => `/fed/v1/rooms/${room}/head`,
  stream: (room: string) => `/fed/v1/rooms/${room}/stream`,
  events: (room: string) => `/fed/v1/rooms/${room}/events`,
  feed: (room: string, site: string, epoch: string, query: { from: number; limit: number }) =>
    `/fed/v1/rooms/${room}/feeds/${site}/${epoch}/events?from=${query.from}&limit=${query.limit}`,
  reconcile: (room: string) => `/fed/v1/rooms/${room}/reconcile`,
  evidence: (room: string) => `/fed/v1/rooms/${room}/evidence`,
  addCheckpoint: '/fed/v1/witness/add-checkpoint',
} as const;

/**
 * `POST /fed/v1/handshake`, by the invited site. It may not be known yet: the hop signature is judged with the keys of the
 * document in the body, which proves itself by its site id. The same site may come again while its invitation lasts.
 * A member comes without a secret to show a newer document of its own, such as one with another hop key.
 */
export const handshakeRequestSchema = z.strictObject({
  room: roomIdSchema,
  /** 256 bits, base64url. */
  secret: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/)
    .optional(),
  document: envelopeSchema,
});
export type HandshakeRequest = z.infer<typeof handshakeRequestSchema>;

/**
 * `pending` until the inviting operator has confirmed the fingerprint: the peer comes again with the same request.
 * `admitted`: everything it takes to be a member. The peer then opens its feed and tells of it by `members` of its pushes
 * and of the answer to its own `head`.
 */
export const handshakeAnswerSchema = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('pending'), document: envelopeSchema }),
  z.strictObject({
    state: z.literal('admitted'),
    document: envelopeSchema,
    genesis: envelopeSchema,
    scopes: z.array(peerScopeSchema).min(1),
    subjects: z.array(filterSchema).min(1).max(32),
    members: memberBundlesSchema,
  }),
]);
export type HandshakeAnswer = z.infer<typeof handshakeAnswerSchema>;

/** `GET …/head`: what the answering site has, its signed word of its own feed (`feedHeadType`), and who takes part. */
export const headAnswerSchema = z.strictObject({
  vector: feedVectorSchema,
  /** Null while its feed is empty. */
  head: envelopeSchema.nullable(),
  members: memberBundlesSchema,
});
export type HeadAnswer = z.infer<typeof headAnswerSchema>;

/**
 * `POST …/stream`: items after `have` of the feeds of these sites, for ever. A member asks each site for its own feed, and
 * one of them for the feed of a site that it can't reach: so each event comes to it once.
 */
export const streamRequestSchema = z.strictObject({
  have: feedVectorSchema,
  feeds: z.array(siteIdSchema).min(1).max(federationLimits.membersMax),
});
export type StreamRequest = z.infer<typeof streamRequestSchema>;

/** `POST …/events`: a push. Members come first, since an item of a feed that nobody has opened is `unknown_feed`. */
export const pushRequestSchema = z.strictObject({
  members: z.array(memberBundleSchema).max(federationLimits.membersMax).optional(),
  items: z.array(wireItemSchema).max(federationLimits.batchItemsMax),
});
export type PushRequest = z.infer<typeof pushRequestSchema>;

/** What became of one pushed item; see the outcomes' meaning in docs/protocol.md. */
export const pushOutcomeSchema = z.looseObject({
  outcome: z.enum([
    'accepted',
    'duplicate',
    'gap',
    'unverifiable',
    'refused',
    'dropped',
    'equivocation',
    'frozen',
    'unknown_feed',
  ]),
  oseq: z.number().int().optional(),
  expected: z.number().int().optional(),
  reason: z.string().optional(),
});
export type PushOutcome = z.infer<typeof pushOutcomeSchema>;

/** One outcome for each item, in their order, and what the receiver has now. */
export const pushAnswerSchema = z.strictObject({ outcomes: z.array(pushOutcomeSchema), vector: feedVectorSchema });
export type PushAnswer = z.infer<typeof pushAnswerSchema>;

/** `GET …/feeds/{site}/{epoch}/events?from=&limit=`: items from `from` on without a hole; none when `from` isn't there yet. */
export const feedPageSchema = z.strictObject({
  items: z.array(wireItemSchema).max(federationLimits.batchItemsMax),
  /** How far the answering site has this feed. */
  n: z.number().int().nonnegative(),
});
export type FeedPage = z.infer<typeof feedPageSchema>;

/** `POST …/reconcile`: either compares heads, or asks for the header hashes of a range of one feed. */
export const reconcileRequestSchema = z.union([
  z.strictObject({
    heads: z.array(
      z.strictObject({ site: siteIdSchema, epoch: feedEpochSchema, n: z.number().int(), hash: hashSchema }),
    ),
  }),
  z.strictObject({
    site: siteIdSchema,
    epoch: feedEpochSchema,
    from: z.number().int().positive(),
    to: z.number().int().positive(),
  }),
]);
export type ReconcileRequest = z.infer<typeof reconcileRequestSchema>;

/** Feeds in which the same place has another header here; or the hashes from `from` on, as far as they are kept. */
export const reconcileAnswerSchema = z.union([
  z.strictObject({
    differences: z.array(
      z.strictObject({ site: siteIdSchema, epoch: feedEpochSchema, n: z.number().int(), hash: hashSchema }),
    ),
    vector: feedVectorSchema,
  }),
  z.strictObject({ hashes: z.array(hashSchema).max(1_024) }),
]);
export type ReconcileAnswer = z.infer<typeof reconcileAnswerSchema>;

/** `POST …/evidence`: two headers that a site has signed for one place. Answered with 204 once both were verified and kept. */
export const evidenceRequestSchema = z.strictObject({ items: z.tuple([wireItemSchema, wireItemSchema]) });
export type EvidenceRequest = z.infer<typeof evidenceRequestSchema>;
