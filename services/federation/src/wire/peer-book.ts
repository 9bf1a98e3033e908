import { setTimeout as sleep } from 'node:timers/promises';
import type { PeerScope } from '@boardwire/contracts';
import { isConnectionError, type Database } from '@boardwire/database';
import type { Logger, Loop } from '@boardwire/service-kit';
import { mayExchange, type PeerState } from '../peers/peer-state.ts';

export interface PeerGrant {
  scopes: PeerScope[];
  subjects: string[];
  /** An admin of the room has put the peer out. */
  isRemoved: boolean;
}

/** A peer with all that decides what it is answered. */
export interface KnownPeer {
  site: string;
  state: PeerState;
  isTrusted: boolean;
  rooms: ReadonlyMap<string, PeerGrant>;
}

interface Row {
  site: string;
  state: PeerState;
  isTrusted: boolean;
  room: string | null;
  scopes: PeerScope[];
  subjects: string[];
  isRemoved: boolean;
}

const everyMs = 400;
/** Somebody who is not known is looked for again at most so often, whoever claims to be whom. */
const againMs = 100;

/**
 * Every peer in memory, read anew twice a second: whoever claims to be one costs no query, and a decision reaches open
 * streams within a second, whichever replica it was taken by.
 */
export class PeerBook {
  readonly #database: Database;
  readonly #logger: Logger;
  readonly #listeners = new Set<() => void>();
  #peers: ReadonlyMap<string, KnownPeer> = new Map();
  #readAt = -Infinity;
  #reading: Promise<void> | undefined;
  #again: Promise<void> | undefined;

  constructor(database: Database, logger: Logger) {
    this.#database = database;
    this.#logger = logger;
  }

  of(site: string): KnownPeer | undefined {
    return this.#peers.get(site);
  }

  /** As `of`, and for one that is unknown or shut out, here or of this room, from the database: it may just have been let in. */
  async find(site: string, room?: string): Promise<KnownPeer | undefined> {
    const known = this.of(site);
    const isLetIn = known !== undefined && mayExchange(known.state);
    if (isLetIn && (room === undefined || known.rooms.has(room))) return known;
    await (this.#again ??= this.#readAgain());
    return this.of(site);
  }

  onRefreshed(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Of many that ask at once one reads. */
  refresh(): Promise<void> {
    return (this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    }));
  }

  /** A supervised loop. */
  async run(loop: Loop): Promise<void> {
    while (!loop.signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- twice a second
      await this.refresh().catch((error: unknown) => {
        if (!isConnectionError(error)) throw error;
        this.#logger.warn({ event: 'wire.peers_not_read', err: error });
      });
      // oxlint-disable-next-line no-await-in-loop
      await loop.idle(everyMs);
    }
  }

  /** All that come within the time wait for one and the same. */
  async #readAgain(): Promise<void> {
    try {
      await sleep(Math.max(0, this.#readAt + againMs - performance.now()));
      await this.refresh();
    } finally {
      this.#again = undefined;
    }
  }

  async #read(): Promise<void> {
    const rows = await this.#database.query<Row>(allPeers);
    const peers = new Map<string, KnownPeer & { rooms: Map<string, PeerGrant> }>();
    for (const { site, state, isTrusted, room, scopes, subjects, isRemoved } of rows) {
      const peer = peers.get(site) ?? { site, state, isTrusted, rooms: new Map() };
      if (room !== null) peer.rooms.set(room, { scopes, subjects, isRemoved });
      peers.set(site, peer);
    }
    this.#peers = peers;
    this.#readAt = performance.now();
    for (const listener of this.#listeners) listener();
  }
}

/** A grant counts for rooms that this site has a part in. */
const allPeers = `
  SELECT peer.site, state, is_trusted AS "isTrusted", peer_room.room, scopes, peer_room.subjects,
    coalesce(NOT is_member, false) AS "isRemoved"
  FROM peer
    LEFT JOIN (peer_room JOIN room ON room.id = peer_room.room) ON peer_room.site = peer.site
    LEFT JOIN room_member ON room_member.room = peer_room.room AND room_member.site = peer.site`;
