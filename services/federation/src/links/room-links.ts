import type { FeedVector } from '@boardwire/contracts';
import { Backfill } from './backfill.ts';
import { epochRows } from './epoch-rows.ts';
import type { LinkParts } from './link-parts.ts';
import type { PeerClient } from './peer-client.ts';
import { RoomIntake } from './room-intake.ts';
import { RoomProgress } from './room-progress.ts';
import { selectFeeds } from './select-feeds.ts';

/** What one link has to do with one room. */
export interface RoomLink {
  client: PeerClient;
  /** Whether the peer may pass on what others said. */
  mayRelay: boolean;
}

interface Stream {
  openedAtMs: number;
  /** Whether items of this site have come by it and are being taken. */
  holds: (site: string) => boolean;
}

/** Who was just asked for a feed is about to bring it. */
const firstItemsWithinMs = 1_000;
/** A site that can be dialled gets so long to bring its feed itself, before another one is asked for it. */
const directWithinMs = 1_000;
/** How long a peer that could not bring a feed isn't asked for it when there is another one. */
const avoidForMs = 60_000;

/** One room as this site shares it: who streams, who is asked for which feed, and what is missing. */
export class RoomLinks {
  readonly progress: RoomProgress;
  readonly intake: RoomIntake;
  readonly backfill: Backfill;
  readonly #links = new Map<string, RoomLink>();
  readonly #streams = new Map<string, Stream>();
  readonly #carriers = new Map<string, string>();
  readonly #carriedSince = new Map<string, number>();
  readonly #avoided = new Map<string, number>();
  readonly #expectedUntil = new Map<string, number>();
  #members: readonly string[] = [];
  #asked: ReadonlyMap<string, readonly string[]> = new Map();

  constructor(
    readonly room: string,
    private readonly parts: LinkParts,
  ) {
    const { site, database } = parts;
    this.progress = new RoomProgress(site, () => epochRows(database, room));
    const clients = () => [...this.#links.values()].map(({ client }) => client);
    this.backfill = new Backfill({ ...parts, room, progress: this.progress, clients, onFailed: this.#avoid });
    this.intake = new RoomIntake({ ...parts, room, progress: this.progress, backfill: this.backfill });
  }

  /** The other members, and those of them that can be dialled. */
  setMembers(members: readonly string[], dialable: ReadonlySet<string>): void {
    for (const site of members) {
      if (dialable.has(site) && !this.#members.includes(site)) this.#expect(site);
    }
    this.#members = members;
    this.select();
  }

  joined(link: RoomLink): void {
    this.#links.set(link.client.site, link);
    this.select();
  }

  /** A stream of this peer has begun. */
  opened(site: string, holds: Stream['holds']): void {
    this.#streams.set(site, { openedAtMs: Date.now(), holds });
  }

  left(site: string): void {
    this.#streams.delete(site);
    if (!this.#links.delete(site)) return;
    this.progress.forget(site);
    this.#expect(site);
    this.select();
  }

  heard(site: string, vector: FeedVector): void {
    this.progress.heard(site, vector);
  }

  /** What members who have come by themselves have told; of one that is linked its own stream tells newer things. */
  visited(): void {
    for (const site of this.#members) {
      const vector = this.#links.has(site) ? undefined : this.parts.contacts.vectorOf(site, this.room);
      if (vector !== undefined) this.progress.heard(site, vector);
    }
  }

  /** Whose feeds this peer is to be asked for: its own first. */
  feedsOf(peer: string): readonly string[] {
    return this.#asked.get(peer) ?? [peer];
  }

  select(): void {
    const { contacts } = this.parts;
    const streaming = new Set(this.#links.keys());
    const asked = selectFeeds({
      members: this.#members,
      streaming,
      relaying: new Set([...this.#links.values()].filter(({ mayRelay }) => mayRelay).map(({ client }) => client.site)),
      // Who has a stream at us and none of ours at it brings its own feed.
      direct: new Set(this.#members.filter((site) => contacts.hasStream(site, this.room) || this.#isExpected(site))),
      carriers: this.#carriers,
      avoids: (site, peer) => (this.#avoided.get(`${site} ${peer}`) ?? 0) > Date.now(),
    });
    const before = new Map(this.#carriers);
    this.#carriers.clear();
    for (const [peer, sites] of asked) for (const site of sites) this.#carriers.set(site, peer);
    for (const [site, peer] of this.#carriers) if (before.get(site) !== peer) this.#carriedSince.set(site, Date.now());
    this.#asked = asked;
  }

  /** Fetches what somebody has told of and doesn't come by itself. */
  look(signal: AbortSignal): void {
    const isAwaited = (site: string) => this.#isExpected(site) || this.#isComing(site);
    this.backfill.look({ carriers: this.#carriers, isAwaited, signal });
  }

  /** This peer does not have what it was asked for of this site's feed. */
  failed(site: string, peer: string): void {
    this.#avoid(site, peer);
    this.select();
  }

  #expect(site: string): void {
    this.#expectedUntil.set(site, Date.now() + directWithinMs);
  }

  #isComing(site: string): boolean {
    const carrier = this.#carriers.get(site);
    const stream = this.#streams.get(carrier ?? '');
    if (stream === undefined) return false;
    const askedAtMs = Math.max(stream.openedAtMs, this.#carriedSince.get(site) ?? 0);
    return stream.holds(site) || Date.now() - askedAtMs < firstItemsWithinMs;
  }

  #isExpected(site: string): boolean {
    return !this.#links.has(site) && (this.#expectedUntil.get(site) ?? 0) > Date.now();
  }

  readonly #avoid = (site: string, peer: string): void => {
    if (site === peer) return;
    this.#avoided.set(`${site} ${peer}`, Date.now() + avoidForMs);
  };
}
