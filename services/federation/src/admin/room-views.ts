import type { FederationFeed, FederationRoom, SiteDocument } from '@boardwire/contracts';
import type { Queryable } from '@boardwire/database';
import type { SiteIdentity } from '../identity/site-identity.ts';
import type { RoomMembers } from '../members/room-members.ts';
import { genesisIn } from '../rooms/room-genesis.ts';
import type { Room, RoomStore } from '../rooms/room-store.ts';
import type { KnownSites } from './known-sites.ts';

export interface RoomViewsOptions {
  database: Queryable;
  identity: SiteIdentity;
  rooms: RoomStore;
  sites: KnownSites;
  members: Pick<RoomMembers, 'sites'>;
}

interface FeedRow extends Omit<FederationFeed, 'grownAt'> {
  room: string;
  grownAt: Date | null;
}

/** Of all rooms, read once. */
interface Known {
  feeds: readonly FeedRow[];
  documents: ReadonlyMap<string, SiteDocument>;
}

/** Rooms as an operator sees them: who takes part, and how far each feed is known here. */
export class RoomViews {
  constructor(private readonly options: RoomViewsOptions) {}

  async all(): Promise<FederationRoom[]> {
    const [rooms, known] = await Promise.all([this.options.rooms.all(), this.#known()]);
    return Promise.all(rooms.map((room) => this.#view(room, known)));
  }

  async of(room: Room): Promise<FederationRoom> {
    return this.#view(room, await this.#known());
  }

  async #view(room: Room, { feeds, documents }: Known): Promise<FederationRoom> {
    const { identity, members } = this.options;
    const { id, alias, board, subjects } = room;
    const { creator, admins } = genesisIn(room);
    const present = await members.sites(id);
    return {
      room: id,
      alias,
      board,
      subjects: [...subjects],
      creator,
      isAdmin: admins.includes(identity.siteId),
      members: present.map((site) => ({ site, name: documents.get(site)?.name ?? '' })),
      feeds: feeds
        .filter((feed) => feed.room === id)
        .map(({ room: _room, grownAt, ...feed }) => ({ ...feed, grownAt: grownAt?.toISOString() ?? null })),
    };
  }

  async #known(): Promise<Known> {
    const [feeds, documents] = await Promise.all([this.#feeds(), this.options.sites.documents()]);
    return { feeds, documents };
  }

  /** Of each site its newest epoch. */
  #feeds(): Promise<FeedRow[]> {
    return this.options.database.query<FeedRow>(
      `SELECT DISTINCT ON (room, site) room, site, epoch, n, encode(hash, 'hex') AS hash, state, grown_at AS "grownAt",
         (SELECT count(*) FROM handover h WHERE (h.room, h.site) = (f.room, f.site)) AS waiting,
         (SELECT count(*) FROM feed_hole h WHERE (h.room, h.site) = (f.room, f.site)) AS holes
       FROM feed f ORDER BY room, site, ordinal DESC`,
    );
  }
}
