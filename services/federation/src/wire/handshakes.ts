import {
  federationLimits,
  handshakeRequestSchema,
  limits,
  signedSiteDocumentSchema,
  type HandshakeAnswer,
  type HandshakeRequest,
  type SiteDocument,
} from '@boardwire/contracts';
import { importVerifyingKey } from '@boardwire/signing';
import { HopError } from '../hop/hop-profile.ts';
import { HopVerifier, type HopKeyring, type VerifiedHop } from '../hop/hop-verifier.ts';
import type { NonceStore } from '../hop/nonce-store.ts';
import type { SiteIdentity } from '../identity/site-identity.ts';
import { verifySiteDocument } from '../identity/verify-site-document.ts';
import type { RoomMembers } from '../members/room-members.ts';
import type { InvitationStore, StoredInvitation } from '../peers/invitation-store.ts';
import type { Peer, PeerStore } from '../peers/peer-store.ts';
import type { RoomStore } from '../rooms/room-store.ts';
import type { SiteDocuments } from '../site-documents/site-documents.ts';
import { FedError } from './fed-error.ts';
import { mayExchange } from '../peers/peer-state.ts';
import type { PeerBook, PeerGrant } from './peer-book.ts';
import { readBody } from './read-body.ts';
import type { StrangerGate } from './stranger-gate.ts';
import { assertVersion, parsedBody, type WireRequest } from './wire-door.ts';
import { parseBody } from './wire-route.ts';

export interface HandshakesOptions {
  identity: SiteIdentity;
  nonces: NonceStore;
  documents: Pick<SiteDocuments, 'take'>;
  invitations: InvitationStore;
  peers: PeerStore;
  book: PeerBook;
  members: RoomMembers;
  rooms: RoomStore;
  gate: StrangerGate;
  /** A site waits for the operator's word from now on, or has been let in; not when it only asks again. */
  onShaken: (site: string, state: HandshakeAnswer['state']) => void;
}

const bodyBytesMax = 2 * federationLimits.documentBytesMax;
/** Strangers may send a body before anything is known of them: so many at a time. */
const concurrentMax = 32;

/** `POST /fed/v1/handshake`: a site comes with an invitation. */
export class Handshakes {
  readonly #options: HandshakesOptions;
  #underWay = 0;

  constructor(options: HandshakesOptions) {
    this.#options = options;
  }

  /** @param onProven as soon as it is known who asks: from then on refusals are signed too. @throws FedError, HopError … */
  async answer(request: WireRequest, onProven: (hop: VerifiedHop) => void): Promise<HandshakeAnswer> {
    const { gate } = this.#options;
    gate.enter(request.address);
    if (this.#underWay >= concurrentMax) throw new FedError('unavailable', { detail: 'too many handshakes at once' });
    this.#underWay += 1;
    try {
      const { hop, document, shake } = await this.#proven(request);
      onProven(hop);
      return await this.#answered(shake, document);
    } catch (error) {
      // Also a wrong secret: nobody is to try many.
      gate.failed(request.address);
      throw error;
    } finally {
      this.#underWay -= 1;
    }
  }

  /** The document proves itself by its site id, and then names the key that the request is signed with. */
  async #proven({ raw }: WireRequest): Promise<{ hop: VerifiedHop; document: SiteDocument; shake: HandshakeRequest }> {
    const { identity, nonces } = this.#options;
    assertVersion(raw);
    const { site } = new HopVerifier({ site: identity.siteId, keys: noKeys, nonces }).claim(raw.headersDistinct);
    const body = await readBody(raw, { bytesMax: bodyBytesMax, withinMs: limits.bodyTimeoutMs });
    const shake = parseBody(handshakeRequestSchema, await parsedBody(raw, body, bodyBytesMax));
    const envelope = signedSiteDocumentSchema.safeParse(shake.document).data;
    const document = envelope && verifySiteDocument(envelope);
    if (document?.site !== site) throw new HopError('sig_invalid', 'the document is not the sender’s');
    const verifier = new HopVerifier({ site: identity.siteId, keys: keysIn(document), nonces });
    const request = { method: raw.method ?? '', target: raw.url ?? '', headers: raw.headersDistinct, body };
    return { hop: await verifier.verify(request), document, shake };
  }

  async #answered(request: HandshakeRequest, document: SiteDocument): Promise<HandshakeAnswer> {
    const known = await this.#options.peers.find(document.site);
    if (known?.state === 'suspended' || known?.state === 'revoked') throw new FedError('peer_suspended');
    const { secret } = request;
    return secret === undefined ? this.#shown(request, document) : this.#shake({ ...request, secret }, document, known);
  }

  /** A member's keys are new, and it may be one that nobody can ask for its document. */
  async #shown({ room, document: envelope }: HandshakeRequest, { site }: SiteDocument): Promise<HandshakeAnswer> {
    const { documents, book } = this.#options;
    const peer = await book.find(site, room);
    const grant = peer?.rooms.get(room);
    if (peer === undefined || !mayExchange(peer.state) || grant === undefined) throw new FedError('room_unknown');
    if (grant.isRemoved) throw new FedError('peer_suspended', { detail: 'removed from this room' });
    const { outcome } = await documents.take(Buffer.from(JSON.stringify(envelope)), site);
    // A key that was given up must not come back by the document that once named it.
    if (outcome === 'refused') throw new HopError('sig_invalid', 'this is not the newest document');
    return this.#admission(room, grant);
  }

  async #shake(
    { room, secret, document: envelope }: HandshakeRequest & { secret: string },
    { site, name }: SiteDocument,
    known: Peer | undefined,
  ): Promise<HandshakeAnswer> {
    const { identity, documents, invitations, peers, book, members, onShaken } = this.#options;
    const invitation = await invitations.use(secret, site);
    // Unknown, of another site, expired, used: whoever guesses learns nothing from the answer.
    if (typeof invitation === 'string' || invitation.room !== room) throw new FedError('room_unknown');
    await documents.take(Buffer.from(JSON.stringify(envelope)), site);
    const peer = await peers.add(site, name, 'handshake');
    if (peer.state === 'invited') await peers.happened(site, 'begun');
    const isConfirmed = peer.isConfirmed || invitation.site === site;
    const isNews = isConfirmed ? !(await members.isMember(room, site)) : known?.state !== 'handshake';
    const answer = isConfirmed
      ? await this.#admitted(site, invitation)
      : { state: 'pending' as const, document: identity.document };
    await book.refresh();
    if (isNews) onShaken(site, answer.state);
    return answer;
  }

  async #admitted(site: string, { room, scopes, subjects }: StoredInvitation): Promise<HandshakeAnswer> {
    const { peers, members, rooms } = this.#options;
    if ((await rooms.find(room)) === undefined) throw new FedError('room_unknown');
    await members.admit(room, site);
    await peers.grant(site, { room, scopes, subjects });
    await peers.happened(site, 'shaken');
    return this.#admission(room, { scopes, subjects });
  }

  async #admission(id: string, { scopes, subjects }: Pick<PeerGrant, 'scopes' | 'subjects'>): Promise<HandshakeAnswer> {
    const { identity, members, rooms } = this.#options;
    const room = await rooms.find(id);
    if (room === undefined) throw new FedError('room_unknown');
    return {
      state: 'admitted',
      document: identity.document,
      genesis: room.envelope,
      scopes: [...scopes],
      subjects: [...subjects],
      members: await members.bundles(id),
    };
  }
}

const noKeys: HopKeyring = { hopKey: () => Promise.resolve(undefined) };

function keysIn({ site, keys }: SiteDocument): HopKeyring {
  return {
    hopKey: (claimed, kid) => {
      const found = keys.find((key) => key.kid === kid && key.use === 'hop' && claimed === site);
      return Promise.resolve(found && importVerifyingKey(Buffer.from(found.public, 'base64url')));
    },
  };
}
