import { z } from 'zod';
import { boardSlugSchema, filterSchema } from '../board.ts';
import { timeSchema } from '../event.ts';
import { peerScopeSchema } from './fed-requests.ts';
import { feedEpochSchema, hashSchema, roomIdSchema, siteIdSchema } from './feed-header.ts';
import { federationLimits } from './federation-limits.ts';
import { keyUses } from './site-document.ts';

/** `GET /v1/federation`: this site as others see it. All of `/v1/federation` is for administrators. */
export const federationSiteSchema = z.object({
  site: siteIdSchema,
  name: z.string(),
  /** What two operators read to each other. */
  fingerprint: z.string(),
  endpoints: z.array(z.string()),
  documentVersion: z.number().int(),
  keys: z.array(z.object({ kid: z.string(), use: z.enum(keyUses), public: z.string() })),
  /** The verifier key that this site cosigns others' audit logs with, for whoever checks them. */
  witness: z.string(),
});
export type FederationSite = z.infer<typeof federationSiteSchema>;

/**
 * Where a peer stands. `invited`: it holds, or we hold, an invitation that nobody has used. `suspended` and `revoked` are
 * decisions about it, everything else is what was seen of it.
 */
export const peerStateSchema = z.enum([
  'invited',
  'handshake',
  'catching_up',
  'live',
  'degraded',
  'offline',
  'suspended',
  'revoked',
]);
export type PeerState = z.infer<typeof peerStateSchema>;

/** An entry of `GET /v1/federation/peers` (`{peers: […]}`). */
export const federationPeerSchema = z.object({
  site: siteIdSchema,
  name: z.string(),
  fingerprint: z.string(),
  state: peerStateSchema,
  /** Why it is suspended, or what the last attempt failed with. */
  reason: z.string().nullable(),
  isTrusted: z.boolean(),
  /** It has come with an invitation of this site, and an administrator is to compare its fingerprint. */
  needsConfirmation: z.boolean(),
  endpoints: z.array(z.string()),
  rooms: z.array(
    z.object({
      room: roomIdSchema,
      alias: z.string(),
      scopes: z.array(peerScopeSchema),
      subjects: z.array(z.string()),
    }),
  ),
  /** Events of its feeds that it has told of and this site hasn't. */
  lagEvents: z.number().int().nonnegative(),
  /** For how long this site has been behind; 0 when it isn't; null while the peer has not been heard since the start. */
  lagSeconds: z.number().nonnegative().nullable(),
  lastContact: timeSchema.nullable(),
  nextDial: timeSchema.nullable(),
  failedAttempts: z.number().int().nonnegative(),
  clockOffsetSeconds: z.number().nullable(),
});
export type FederationPeer = z.infer<typeof federationPeerSchema>;

export const federationFeedSchema = z.object({
  site: siteIdSchema,
  epoch: feedEpochSchema,
  n: z.number().int().nonnegative(),
  hash: hashSchema,
  state: z.enum(['open', 'frozen']),
  grownAt: timeSchema.nullable(),
  /** Taken and not yet on the board. */
  waiting: z.number().int().nonnegative(),
  holes: z.number().int().nonnegative(),
});
export type FederationFeed = z.infer<typeof federationFeedSchema>;

/** An entry of `GET /v1/federation/rooms` (`{rooms: […]}`). */
export const federationRoomSchema = z.object({
  room: roomIdSchema,
  alias: z.string(),
  board: z.string(),
  subjects: z.array(z.string()),
  creator: siteIdSchema,
  isAdmin: z.boolean(),
  members: z.array(z.object({ site: siteIdSchema, name: z.string() })),
  feeds: z.array(federationFeedSchema),
});
export type FederationRoom = z.infer<typeof federationRoomSchema>;

/** `POST /v1/federation/rooms`: shares a board. Answered with the room, 201. */
export const openRoomRequestSchema = z.strictObject({
  board: boardSlugSchema,
  alias: z.string().min(1).max(64),
  subjects: z.array(filterSchema).min(1).max(32).default(['>']),
});
export type OpenRoomRequest = z.input<typeof openRoomRequestSchema>;

/** The hash of its secret, base64url: tells nothing of it. */
export const invitationIdSchema = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** `POST /v1/federation/invitations`: answered with {@link inviteAnswerSchema}, 201. */
export const inviteRequestSchema = z.strictObject({
  room: roomIdSchema,
  scopes: z.array(peerScopeSchema).min(1).default(['read', 'write', 'relay']),
  /** What the room shares, whether it is said or not: a feed is dense and can't be had in part. */
  subjects: z.array(filterSchema).min(1).max(32).optional(),
  lifetimeSeconds: z
    .number()
    .int()
    .min(60)
    .max(federationLimits.invitationLifetimeMs / 1_000)
    .default(3_600),
  /** A site whose fingerprint the operator knows already: it need not be confirmed when it comes, and no other may come. */
  site: siteIdSchema.optional(),
});
export type InviteRequest = z.input<typeof inviteRequestSchema>;
export const inviteAnswerSchema = z.object({
  /** By which it is withdrawn. */
  id: invitationIdSchema,
  /** The one line that holds the secret: it is told here and never again. */
  invitation: z.string(),
  expires: timeSchema,
  fingerprint: z.string(),
});
export type InviteAnswer = z.infer<typeof inviteAnswerSchema>;

/** An entry of `GET /v1/federation/invitations` (`{invitations: […]}`): those that can still be used. */
export const openInvitationSchema = z.object({
  id: invitationIdSchema,
  room: roomIdSchema,
  alias: z.string(),
  scopes: z.array(peerScopeSchema),
  subjects: z.array(z.string()),
  /** The site that it is for; null when whoever has it may come. */
  site: siteIdSchema.nullable(),
  /** The account that made it. */
  createdBy: z.string(),
  created: timeSchema,
  expires: timeSchema,
});
export type OpenInvitation = z.infer<typeof openInvitationSchema>;

/** `POST /v1/federation/invitations/accept`: answered with the peer, 202; the handshake goes on by itself. */
export const acceptInvitationRequestSchema = z.strictObject({
  invitation: z.string().max(16_384),
  /** The local board that the room is shown on. */
  board: boardSlugSchema,
});
export type AcceptInvitationRequest = z.infer<typeof acceptInvitationRequestSchema>;

/** `POST /v1/federation/peers/{site}/{decision}`: answered with the peer. `confirm` takes the fingerprint that was read out. */
export const peerDecisions = ['confirm', 'suspend', 'resume', 'revoke', 'trust', 'distrust'] as const;
export type PeerDecision = (typeof peerDecisions)[number];
export const peerDecisionRequestSchema = z.strictObject({
  fingerprint: z.string().max(64).optional(),
  reason: z.string().max(500).optional(),
});
export type PeerDecisionRequest = z.infer<typeof peerDecisionRequestSchema>;

/** An entry of `GET /v1/federation/evidence` (`{evidence: […]}`): a site has said two things at one place. */
export const federationEvidenceSchema = z.object({
  room: roomIdSchema,
  site: siteIdSchema,
  epoch: feedEpochSchema,
  oseq: z.number().int().positive(),
  keptHash: hashSchema,
  otherHash: hashSchema,
  carrier: siteIdSchema,
  at: timeSchema,
});
export type FederationEvidence = z.infer<typeof federationEvidenceSchema>;

export const federationRoomsSchema = z.object({ rooms: z.array(federationRoomSchema) });
export const openInvitationsSchema = z.object({ invitations: z.array(openInvitationSchema) });
export const federationPeersSchema = z.object({ peers: z.array(federationPeerSchema) });
export const federationEvidenceListSchema = z.object({ evidence: z.array(federationEvidenceSchema) });
