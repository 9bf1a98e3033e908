import type {
  AcceptInvitationRequest,
  FederationEvidence,
  FederationRoom,
  openRoomRequestSchema,
} from '@boardwire/contracts';
import type { Database, DecisionOutbox } from '@boardwire/database';
import type { InternalClient } from '@boardwire/service-kit';
import type { z } from 'zod';
import type { FeedEpochs } from '../feeds/feed-epochs.ts';
import type { SiteIdentity } from '../identity/site-identity.ts';
import type { PeerStatuses } from '../links/peer-status.ts';
import type { RoomMembers } from '../members/room-members.ts';
import { genesisIn } from '../rooms/room-genesis.ts';
import { PeerStore } from '../peers/peer-store.ts';
import { RoomStore } from '../rooms/room-store.ts';
import { acceptInvitation, type AcceptInvitation } from './accept-invitation.ts';
import { evidenceList } from './evidence-list.ts';
import { Invitations } from './invitations.ts';
import { KnownSites } from './known-sites.ts';
import { openRoom } from './open-room.ts';
import { PeerDecisions } from './peer-decisions.ts';
import { PeerViews } from './peer-views.ts';
import { RoomViews } from './room-views.ts';

export interface BuildAdminOptions {
  database: Database;
  identity: SiteIdentity;
  chat: InternalClient;
  epochs: FeedEpochs;
  decisions: DecisionOutbox;
  statuses: PeerStatuses;
  members: Pick<RoomMembers, 'sites' | 'remove'>;
  begin: AcceptInvitation;
  onDecided: (site: string) => void;
}

/** What administrators see and do, behind `/v1/federation`. */
export interface AdminParts {
  sites: KnownSites;
  rooms: RoomViews;
  openRoom: (wanted: z.output<typeof openRoomRequestSchema>, actor: string) => Promise<FederationRoom>;
  invitations: Invitations;
  /** Returns the inviting site's id. */
  accept: (wanted: AcceptInvitationRequest, actor: string) => Promise<string>;
  peers: PeerViews;
  decisions: PeerDecisions;
  evidence: () => Promise<FederationEvidence[]>;
}

export function buildAdmin(options: BuildAdminOptions): AdminParts {
  const { database, identity, chat, epochs, decisions, statuses, members, begin } = options;
  const rooms = new RoomStore(database);
  const peers = new PeerStore(database);
  const sites = new KnownSites(database, identity);
  const views = new RoomViews({ database, identity, rooms, sites, members });
  const parts = { database, identity, rooms, peers, sites, chat, epochs, decisions, views, begin };
  const removeFromRooms = async (site: string) => {
    for (const room of await rooms.all()) {
      // oxlint-disable-next-line no-await-in-loop -- a handful
      if (genesisIn(room).admins.includes(identity.siteId)) await members.remove(room.id, site);
    }
  };
  return {
    sites,
    rooms: views,
    openRoom: (wanted, actor) => openRoom(parts, wanted, actor),
    invitations: new Invitations(parts),
    accept: (wanted, actor) => acceptInvitation(parts, wanted, actor),
    peers: new PeerViews({ peers, rooms, sites, statuses }),
    decisions: new PeerDecisions({ ...parts, onDecided: options.onDecided, removeFromRooms }),
    evidence: () => evidenceList(database),
  };
}
