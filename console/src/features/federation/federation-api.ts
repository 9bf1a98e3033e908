import type { BoardwireClient } from '@boardwire/client';
import {
  federationEvidenceListSchema,
  federationPeerSchema,
  federationPeersSchema,
  federationRoomSchema,
  federationRoomsSchema,
  federationSiteSchema,
  inviteAnswerSchema,
  openInvitationsSchema,
  type AcceptInvitationRequest,
  type InviteRequest,
  type OpenRoomRequest,
  type PeerDecision,
  type PeerDecisionRequest,
} from '@boardwire/contracts';

/** The routes of federation that this screen uses, each by its contract. */
export class FederationApi {
  readonly #client: BoardwireClient;

  constructor(client: BoardwireClient) {
    this.#client = client;
  }

  site(signal?: AbortSignal) {
    return this.#client.request({ path: '/v1/federation', answer: federationSiteSchema, signal });
  }

  async rooms(signal?: AbortSignal) {
    return (await this.#client.request({ path: `${base}/rooms`, answer: federationRoomsSchema, signal })).rooms;
  }

  async peers(signal?: AbortSignal) {
    return (await this.#client.request({ path: `${base}/peers`, answer: federationPeersSchema, signal })).peers;
  }

  async invitations(signal?: AbortSignal) {
    const answer = openInvitationsSchema;
    return (await this.#client.request({ path: `${base}/invitations`, answer, signal })).invitations;
  }

  async evidence(signal?: AbortSignal) {
    const answer = federationEvidenceListSchema;
    return (await this.#client.request({ path: `${base}/evidence`, answer, signal })).evidence;
  }

  openRoom(body: OpenRoomRequest) {
    return this.#client.request({ method: 'POST', path: `${base}/rooms`, body, answer: federationRoomSchema });
  }

  invite(body: InviteRequest) {
    return this.#client.request({ method: 'POST', path: `${base}/invitations`, body, answer: inviteAnswerSchema });
  }

  withdraw(id: string) {
    return this.#client.request({ method: 'DELETE', path: `${base}/invitations/${id}`, answer: noContent });
  }

  accept(body: AcceptInvitationRequest) {
    const answer = federationPeerSchema;
    return this.#client.request({ method: 'POST', path: `${base}/invitations/accept`, body, answer });
  }

  decide(site: string, decision: PeerDecision, body: PeerDecisionRequest) {
    const answer = federationPeerSchema;
    return this.#client.request({ method: 'POST', path: `${base}/peers/${site}/${decision}`, body, answer });
  }

  async boards(signal?: AbortSignal) {
    return this.#client.boards(signal);
  }
}

const base = '/v1/federation';
const noContent = { safeParse: () => ({ success: true as const, data: undefined }) };
