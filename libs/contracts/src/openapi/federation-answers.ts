import type { z } from 'zod';
import {
  federationEvidenceListSchema,
  federationPeerSchema,
  federationPeersSchema,
  federationRoomSchema,
  federationRoomsSchema,
  federationSiteSchema,
  inviteAnswerSchema,
  openInvitationsSchema,
} from '../federation/federation-admin.ts';
import { fingerprintOf } from '../federation/invitation.ts';

const time = '2026-03-01T09:30:00.000Z';
const hash = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const own = `bs1${'a'.repeat(52)}`;
const other = `bs1${'b'.repeat(52)}`;
const room = `br1${'c'.repeat(52)}`;
const epoch = 'k3v9x2m1k3v9x2m1';
const id = 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg';

const peer = {
  site: other,
  name: 'Pi',
  fingerprint: fingerprintOf(other),
  state: 'live' as const,
  reason: null,
  isTrusted: false,
  needsConfirmation: false,
  endpoints: ['https://pi.example'],
  rooms: [{ room, alias: 'test-chat', scopes: ['read' as const, 'write' as const], subjects: ['>'] }],
  lagEvents: 0,
  lagSeconds: 0,
  lastContact: time,
  nextDial: null,
  failedAttempts: 0,
  clockOffsetSeconds: 0.2,
};

const shared = {
  room,
  alias: 'test-chat',
  board: 'events',
  subjects: ['>'],
  creator: own,
  isAdmin: true,
  members: [{ site: own, name: 'Host' }],
  feeds: [{ site: own, epoch, n: 42, hash, state: 'open' as const, grownAt: time, waiting: 0, holes: 0 }],
};

/** Bodies of `/v1/federation`, by the name that they have in documents. */
export const federationAnswers = {
  FederationSite: {
    schema: federationSiteSchema,
    example: {
      site: own,
      name: 'Host',
      fingerprint: fingerprintOf(own),
      endpoints: ['https://host.example'],
      documentVersion: 1,
      keys: [{ kid: 'bk1abcd', use: 'root' as const, public: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }],
      witness: `boardwire/witness/${own}+8a3c1f02+BJwJDCIH6mRPbbJtnLiQ/2V4CBUmsQBw8Nd4YXDWN60R`,
    },
  },
  FederationRoom: { schema: federationRoomSchema, example: shared },
  FederationRooms: { schema: federationRoomsSchema, example: { rooms: [shared] } },
  FederationInvitation: {
    schema: inviteAnswerSchema,
    example: { id, invitation: 'bwi1.eyJzaXRlIjoi…', expires: time, fingerprint: fingerprintOf(own) },
  },
  FederationInvitations: {
    schema: openInvitationsSchema,
    example: {
      invitations: [
        {
          id,
          room,
          alias: 'test-chat',
          scopes: ['read' as const, 'write' as const, 'relay' as const],
          subjects: ['>'],
          site: null,
          createdBy: '0190c5d0-1111-7aaa-8bbb-0123456789ab',
          created: time,
          expires: time,
        },
      ],
    },
  },
  FederationPeer: { schema: federationPeerSchema, example: peer },
  FederationPeers: { schema: federationPeersSchema, example: { peers: [peer] } },
  FederationEvidence: {
    schema: federationEvidenceListSchema,
    example: {
      evidence: [{ room, site: other, epoch, oseq: 7, keptHash: hash, otherHash: hash, carrier: other, at: time }],
    },
  },
} as const satisfies Record<string, { schema: z.ZodType; example: unknown }>;
