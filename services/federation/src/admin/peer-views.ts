import { fingerprintOf, type FederationPeer, type SiteDocument } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import type { PeerStatuses } from '../links/peer-status.ts';
import type { Peer, PeerStore } from '../peers/peer-store.ts';
import type { RoomStore } from '../rooms/room-store.ts';
import type { KnownSites } from './known-sites.ts';

export interface PeerViewsOptions {
  peers: PeerStore;
  rooms: RoomStore;
  sites: KnownSites;
  statuses: PeerStatuses;
}

interface Surroundings {
  document: SiteDocument | undefined;
  waiting: ReadonlySet<string>;
  /** By room. */
  aliases: ReadonlyMap<string, string>;
}

/** Peers as an operator sees them: what is stored of them, and what the connections know. */
export class PeerViews {
  constructor(private readonly options: PeerViewsOptions) {}

  async all(): Promise<FederationPeer[]> {
    return this.#views(await this.options.peers.all());
  }

  /** @throws AppError `not_found` */
  async one(site: string): Promise<FederationPeer> {
    const peer = await this.options.peers.find(site);
    if (peer === undefined) throw new AppError('not_found', { detail: 'no such peer' });
    return (await this.#views([peer]))[0]!;
  }

  async #views(peers: readonly Peer[]): Promise<FederationPeer[]> {
    const [rooms, documents] = await Promise.all([this.options.rooms.all(), this.options.sites.documents()]);
    const waiting = await this.options.peers.toConfirm();
    const aliases = new Map(rooms.map(({ id, alias }) => [id, alias]));
    return Promise.all(peers.map((peer) => this.#view(peer, { document: documents.get(peer.site), waiting, aliases })));
  }

  async #view(peer: Peer, { document, waiting, aliases }: Surroundings): Promise<FederationPeer> {
    const { site, name, state, isTrusted, failedAttempts, reason, contactAt, dialAt } = peer;
    const status = this.options.statuses.of(site);
    const rooms = await this.options.peers.rooms(site);
    return {
      site,
      name: document?.name ?? name,
      fingerprint: fingerprintOf(site),
      state,
      reason: reason ?? null,
      isTrusted,
      needsConfirmation: waiting.has(site),
      endpoints: document?.endpoints ?? [],
      rooms: rooms.map((room) => ({ ...room, alias: aliases.get(room.room) ?? '' })),
      lagEvents: status?.lagEvents ?? 0,
      lagSeconds: status?.lagSeconds ?? null,
      lastContact: contactAt?.toISOString() ?? null,
      nextDial: dialAt?.toISOString() ?? null,
      failedAttempts,
      clockOffsetSeconds: status?.clockOffsetSeconds ?? null,
    };
  }
}
