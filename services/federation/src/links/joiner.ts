import type { Envelope } from '@boardwire/signing';
import type { HandshakeAnswer, Invitation } from '@boardwire/contracts';
import { AdvisoryLock, isConnectionError } from '@boardwire/database';
import { AppError, type Loop } from '@boardwire/service-kit';
import type { FeedEpochs } from '../feeds/feed-epochs.ts';
import type { SiteIdentity } from '../identity/site-identity.ts';
import type { Peer } from '../peers/peer-store.ts';
import { RoomStore } from '../rooms/room-store.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { SiteDocuments } from '../site-documents/site-documents.ts';
import { Alarm } from './alarm.ts';
import type { PeerDialer } from './dial-peer.ts';
import { genesisIn } from './genesis-in.ts';
import type { Joining, JoiningStore } from './joining-store.ts';
import { LinkError } from './link-error.ts';
import type { LinkParts } from './link-parts.ts';

export interface JoinerOptions {
  parts: LinkParts;
  identity: SiteIdentity;
  rooms: Rooms;
  epochs: FeedEpochs;
  documents: Pick<SiteDocuments, 'fetch'>;
  dialer: PeerDialer;
  store: JoiningStore;
  /** This site has become a member of a room. */
  onJoined: () => void;
}

type Admission = Extract<HandshakeAnswer, { state: 'admitted' }>;

const lookEveryMs = 1_000;
const beatEveryMs = 250;

/**
 * Enters rooms that this site is invited to. An accepted invitation is kept until it has led to a membership or has expired;
 * every step can be done twice, so it doesn't matter after which one the service was stopped.
 */
export class Joiner {
  readonly #options: JoinerOptions;
  readonly #alarm = new Alarm();

  constructor(options: JoinerOptions) {
    this.#options = options;
  }

  /**
   * Accepts an invitation; the handshake goes on by itself.
   * @throws AppError `invalid` for one whose site can't be dialled, `conflict` when the board waits for another room
   */
  async accept(invitation: Invitation, board: string): Promise<Peer> {
    const { parts, store } = this.#options;
    const { site, endpoints } = invitation;
    if (endpoints.length === 0) throw new AppError('invalid', { detail: 'the inviting site can be dialled by nobody' });
    const { state } = await parts.peers.add(site, invitation.name ?? '', 'invited');
    // Before the loop can see the invitation: it may give it up at once, and that has to be the last word.
    await parts.peers.happened(site, 'begun');
    if (!(await store.add(invitation, board))) {
      if (state === 'invited') await parts.peers.happened(site, 'lost', 'the board waits for another room');
      throw new AppError('conflict', { detail: 'the board waits for another room' });
    }
    this.#alarm.ring();
    return (await parts.peers.find(site))!;
  }

  /** A supervised loop. */
  run(loop: Loop): Promise<void> {
    const body = (signal: AbortSignal) => this.#lead(loop, signal);
    return AdvisoryLock.lead(this.#options.parts.database, 'joining', loop.signal, body, () => loop.beat());
  }

  async #lead(loop: Loop, signal: AbortSignal): Promise<void> {
    const beater = setInterval(() => loop.beat(), beatEveryMs);
    try {
      while (!signal.aborted) {
        // oxlint-disable-next-line no-await-in-loop -- one pass after the other
        await this.#pass(signal).catch((error: unknown) => {
          if (!isConnectionError(error)) throw error;
        });
        // oxlint-disable-next-line no-await-in-loop
        await this.#alarm.wait(lookEveryMs, signal);
      }
    } finally {
      clearInterval(beater);
    }
  }

  async #pass(signal: AbortSignal): Promise<void> {
    const due = await this.#options.store.due();
    // One that doesn't answer holds up no other.
    await Promise.all(due.map((joining) => this.#attempt(joining, signal)));
  }

  async #attempt(joining: Joining, signal: AbortSignal): Promise<void> {
    const { parts, store } = this.#options;
    const { room, site } = joining;
    if (joining.isExpired) {
      parts.logger.warn({ event: 'joining.expired', room, peer: site });
      await parts.peers.happened(site, 'lost', 'invitation expired');
      await store.remove(room);
      return;
    }
    try {
      const answer = await this.#ask(joining, signal);
      if (answer.state === 'admitted') await this.#enter(joining, answer);
      else await store.later(joining);
    } catch (error) {
      if (signal.aborted) return;
      const fault = error instanceof Error ? error.message : String(error);
      parts.logger.info({ event: 'joining.later', room, peer: site, fault });
      await store.later(joining, error instanceof LinkError ? error.retryAfterMs : 0);
    }
  }

  /** At the first of its addresses where the inviting site is found. */
  async #ask({ room, site, endpoints, secret }: Joining, signal: AbortSignal): Promise<HandshakeAnswer> {
    const { dialer, documents, identity } = this.#options;
    let failure: unknown;
    for (const url of endpoints) {
      // oxlint-disable-next-line no-await-in-loop -- in their order
      const found = await documents.fetch(url, { site, signal });
      if (found.outcome === 'refused') failure = new LinkError('bad_answer', `${found.reason}: ${found.detail}`);
      else return dialer.client(site, url).handshake({ room, secret, document: identity.document }, signal);
    }
    throw failure;
  }

  async #enter({ room, site, board }: Joining, answer: Admission): Promise<void> {
    const { parts, rooms, epochs, identity, store, onJoined } = this.#options;
    const { creatorKey } = genesisIn(answer, room);
    if ((await new RoomStore(parts.database).find(room)) === undefined)
      await rooms.join(board, answer.genesis as Envelope, creatorKey);
    await parts.members.take(room, answer.members);
    if ((await parts.reader.vector(room))[identity.siteId] === undefined) await epochs.openFeed(room);
    await parts.peers.grant(site, { room, scopes: ['read', 'write', 'relay'], subjects: answer.subjects });
    await parts.peers.happened(site, 'shaken');
    await parts.peers.contacted(site);
    await store.remove(room);
    parts.logger.info({ event: 'joining.joined', room, peer: site, board });
    onJoined();
  }
}
