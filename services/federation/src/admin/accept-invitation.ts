import {
  decodeInvitation,
  isNeverFederated,
  type AcceptInvitationRequest,
  type Invitation,
} from '@boardwire/contracts';
import type { Database, DecisionOutbox } from '@boardwire/database';
import { AppError, type InternalClient } from '@boardwire/service-kit';
import type { SiteIdentity } from '../identity/site-identity.ts';
import type { Peer, PeerStore } from '../peers/peer-store.ts';
import type { RoomStore } from '../rooms/room-store.ts';
import { assertBoard } from './open-room.ts';

/** Begins the handshake, which goes on by itself. */
export type AcceptInvitation = (invitation: Invitation, board: string) => Promise<Peer>;

export interface AcceptParts {
  database: Database;
  identity: SiteIdentity;
  rooms: RoomStore;
  peers: PeerStore;
  chat: InternalClient;
  decisions: DecisionOutbox;
  begin: AcceptInvitation;
}

/**
 * Accepts an invitation for a local board. What can be known to be in vain is refused here, before anybody is dialled.
 * @returns the inviting site's id. @throws AppError `invalid`, `board_unknown`, `forbidden`, `conflict`
 */
export async function acceptInvitation(
  parts: AcceptParts,
  { invitation: text, board }: AcceptInvitationRequest,
  actor: string,
): Promise<string> {
  const invitation = decodeInvitation(text);
  if (invitation === undefined) throw new AppError('invalid', { detail: 'this is not an invitation' });
  await assertBoard(parts.chat, board);
  await assertOfUse(parts, invitation, board);
  const { site, room, scopes, subjects } = invitation;
  await parts.begin(invitation, board);
  const detail = { peer: site, room, scopes, subjects };
  await parts.database.transaction((transaction) =>
    parts.decisions.add(transaction, { action: 'federation.invitation.accept', outcome: 'done', actor, board, detail }),
  );
  return site;
}

async function assertOfUse(
  { identity, rooms, peers }: AcceptParts,
  { site, room, expires }: Invitation,
  board: string,
): Promise<void> {
  const refuse = (detail: string) => {
    throw new AppError('conflict', { detail });
  };
  if (site === identity.siteId) refuse('the invitation is this site’s own');
  if (Date.parse(expires) <= Date.now()) refuse('the invitation has expired');
  if (isNeverFederated(board, 'a')) throw new AppError('forbidden', { detail: 'this board never leaves its site' });
  const [known, taken, peer] = await Promise.all([rooms.find(room), rooms.ofBoard(board), peers.find(site)]);
  if (known !== undefined) refuse(`the room is on the board ${known.board} already`);
  if (taken !== undefined) refuse(`the board is shared already, as ${taken.alias}`);
  if (peer?.state === 'suspended' || peer?.state === 'revoked') refuse(`this site was ${peer.state}`);
}
