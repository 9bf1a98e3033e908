import type { FeedPosition, FeedVector } from '@boardwire/contracts';
import type { EpochRow } from './epoch-rows.ts';

/** A feed of which somebody has more than this site. */
export interface Behind {
  site: string;
  epoch: string;
  /** How far this site has it; undefined for an epoch that it doesn't know. */
  have: number | undefined;
  told: number;
  /** Who told so. */
  tellers: string[];
  /** For how long it has been behind, and for how long the feed hasn't moved. */
  behindMs: number;
  stillMs: number;
}

interface Movement {
  mark: string;
  atMs: number;
}

/** How far this site has each feed of a room, and how far others say that they have it. */
export class RoomProgress {
  #rows: readonly EpochRow[] = [];
  #reading: Promise<void> | undefined;
  #isStale = true;
  readonly #told = new Map<string, FeedVector>();
  readonly #behindSince = new Map<string, number>();
  readonly #moved = new Map<string, Movement>();

  constructor(
    private readonly own: string,
    private readonly read: () => Promise<EpochRow[]>,
    private readonly now: () => number = Date.now,
  ) {}

  /** Every epoch of every feed, the oldest of each site first. */
  get rows(): readonly EpochRow[] {
    return this.#rows;
  }

  get vector(): FeedVector {
    return Object.fromEntries(
      this.#newest().map(({ site, epoch, n, hash }) => [site, n === 0 ? { epoch, n } : { epoch, n, hash }]),
    );
  }

  row(site: string, epoch: string): EpochRow | undefined {
    return this.#rows.find((row) => row.site === site && row.epoch === epoch);
  }

  toldBy(peer: string): FeedVector | undefined {
    return this.#told.get(peer);
  }

  heard(peer: string, vector: FeedVector): void {
    this.#told.set(peer, vector);
    this.#compare();
  }

  forget(peer: string): void {
    this.#told.delete(peer);
    this.#compare();
  }

  /** Reads again what is here; of many that ask at once, all get the same answer, which is not older than their question. */
  async refresh(): Promise<void> {
    this.#isStale = true;
    while (this.#isStale) {
      this.#reading ??= this.#readRows();
      // oxlint-disable-next-line no-await-in-loop -- once more when it had begun before
      await this.#reading;
    }
  }

  /** Feeds of other sites that somebody has more of, and that aren't frozen here. */
  behind(): Behind[] {
    const nowMs = this.now();
    return [...this.#behindSince].flatMap(([site, sinceMs]) => {
      const furthest = this.#furthest(site);
      if (furthest === undefined) return [];
      const { epoch, n, tellers } = furthest;
      const row = this.row(site, epoch);
      if (row?.state === 'frozen') return [];
      const stillMs = nowMs - Math.max(this.#moved.get(site)?.atMs ?? 0, sinceMs);
      return { site, epoch, have: row?.n, told: n, tellers, behindMs: nowMs - sinceMs, stillMs };
    });
  }

  /** What a site's feed lacks here, by its own word if it has given one; undefined while nobody has. */
  lagOf(site: string): { events: number; sinceMs: number | undefined } | undefined {
    const theirs = this.#told.get(site)?.[site];
    const told = theirs ?? this.#furthest(site);
    if (told === undefined) return this.#isTold(site) ? { events: 0, sinceMs: undefined } : undefined;
    const events = this.#missing(site, told);
    return { events, sinceMs: events === 0 ? undefined : (this.#behindSince.get(site) ?? this.now()) };
  }

  async #readRows(): Promise<void> {
    this.#isStale = false;
    try {
      this.#rows = await this.read();
      this.#noteMovement();
      this.#compare();
    } finally {
      this.#reading = undefined;
    }
  }

  #newest(): EpochRow[] {
    return [...new Map(this.#rows.map((row) => [row.site, row])).values()];
  }

  #noteMovement(): void {
    for (const { site, epoch, n } of this.#newest()) {
      const mark = `${epoch} ${n}`;
      if (this.#moved.get(site)?.mark !== mark) this.#moved.set(site, { mark, atMs: this.now() });
    }
  }

  #compare(): void {
    const sites = new Set([...this.#told.values()].flatMap((vector) => Object.keys(vector)));
    for (const site of this.#behindSince.keys()) if (this.#furthest(site) === undefined) this.#behindSince.delete(site);
    for (const site of sites) {
      if (site !== this.own && this.#furthest(site) !== undefined && !this.#behindSince.has(site)) {
        this.#behindSince.set(site, this.now());
      }
    }
  }

  #isTold(site: string): boolean {
    return [...this.#told.values()].some((vector) => vector[site] !== undefined);
  }

  /** The most that anybody claims beyond what is here. An epoch that is unknown here counts above all that are known. */
  #furthest(site: string): { epoch: string; n: number; tellers: string[] } | undefined {
    let best: { epoch: string; n: number; isUnknown: boolean; tellers: string[] } | undefined;
    for (const [peer, vector] of this.#told) {
      const position = vector[site];
      if (position === undefined || this.#missing(site, position) === 0) continue;
      const isUnknown = this.row(site, position.epoch) === undefined;
      const isMore =
        best === undefined || (isUnknown && !best.isUnknown) || (isUnknown === best.isUnknown && position.n > best.n);
      if (isMore)
        best = {
          epoch: position.epoch,
          n: position.n,
          isUnknown,
          tellers: best?.epoch === position.epoch ? [...best.tellers, peer] : [peer],
        };
      else if (best?.epoch === position.epoch) best.tellers.push(peer);
    }
    return best;
  }

  /** An epoch that was followed by another one is measured by what its successor says of it, not by its tellers. */
  #missing(site: string, { epoch, n }: FeedPosition): number {
    const rows = this.#rows.filter((row) => row.site === site);
    const row = rows.find((known) => known.epoch === epoch);
    if (row === undefined) return n;
    return row === rows.at(-1) ? Math.max(0, n - row.n) : 0;
  }
}
