import { federationLimits } from '@boardwire/contracts';
import { isConnectionError } from '@boardwire/database';
import type { Logger } from '@boardwire/service-kit';
import type { CheckedBatch, Ingest } from '../ingest/ingest.ts';
import type { FederationMetrics } from '../metrics.ts';
import type { Judge } from './blame.ts';
import { unfinished } from './epoch-rows.ts';
import type { LinkMembers } from './link-parts.ts';
import type { PeerClient } from './peer-client.ts';
import type { Behind, RoomProgress } from './room-progress.ts';

export interface BackfillOptions {
  room: string;
  ingest: Pick<Ingest, 'check' | 'store'>;
  members: LinkMembers;
  progress: RoomProgress;
  judge: Judge;
  metrics: FederationMetrics;
  logger: Logger;
  /** Peers that can be asked now. */
  clients: () => PeerClient[];
  /** This peer could not bring what it, or another one, has told of this site's feed. */
  onFailed: (site: string, peer: string) => void;
}

export interface FeedGoal {
  site: string;
  epoch: string;
  /** Up to where at least. */
  upTo: number;
}

export interface Looking {
  carriers: ReadonlyMap<string, string>;
  /** Whether who is to bring a site's feed is about to, or is bringing something. */
  isAwaited: (site: string) => boolean;
  signal: AbortSignal;
}

/** From whom it is asked first, from whom not, and until when. */
export interface Asking {
  first: string | undefined;
  not?: string | undefined;
  signal: AbortSignal;
}

type Place = Pick<FeedGoal, 'site' | 'epoch'> & { from: number };

interface Page {
  from: number;
  checked: Promise<CheckedBatch>;
}

/** What its carrier has told of and hasn't brought is fetched after this long: it tells of nothing before it has sent it. */
const stillMsMax = 300;
/** What only others have told of may still be on its way from its carrier, who would have told of it within half a second. */
const untoldMsMax = 750;
/** After all that were asked could not help. */
const againAfterMs = { min: 500, max: 15_000 };

/** Brings what is missing of a feed, page by page: from whom it was expected first, then from any other member. */
export class Backfill {
  readonly #options: BackfillOptions;
  readonly #running = new Map<string, Promise<boolean>>();
  readonly #failures = new Map<string, { count: number; untilMs: number }>();
  #isLooking = false;

  constructor(options: BackfillOptions) {
    this.#options = options;
  }

  /** Starts what is due, without waiting for it. */
  look(looking: Looking): void {
    const { progress } = this.#options;
    const { carriers, signal } = looking;
    if (!this.#isLooking && this.#due(looking).length > 0) void this.#lookAgain(looking);
    for (const { site, epoch, upTo } of unfinished(progress.rows)) {
      void this.fill({ site, epoch, upTo }, { first: carriers.get(site), signal });
    }
  }

  /** What was read last may be older than what has come since, and that may have come while this process was busy. */
  async #lookAgain(looking: Looking): Promise<void> {
    this.#isLooking = true;
    try {
      await this.#options.progress.refresh();
      for (const feed of this.#due(looking)) void this.#fetch(feed, askingFor(feed, looking));
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#isLooking = false;
    }
  }

  #due({ carriers, isAwaited }: Looking): Behind[] {
    return this.#options.progress.behind().filter(({ site, tellers, behindMs, stillMs }) => {
      const carrier = carriers.get(site);
      const patienceMs = carrier === undefined || tellers.includes(carrier) ? stillMsMax : untoldMsMax;
      return Math.min(behindMs, stillMs) > patienceMs && !isAwaited(site);
    });
  }

  /** Resolves when the feed is there, or nobody could bring it. Of several that want the same feed one works. */
  fill(goal: FeedGoal, how: Asking): Promise<boolean> {
    return this.#once(`${goal.site} ${goal.epoch}`, async () => {
      const isFilled = await this.#fillFromAny(goal, how);
      this.#options.metrics.repaired(isFilled ? 'repaired' : 'failed');
      return isFilled;
    });
  }

  /** Of an epoch that nobody here knows the record comes first. */
  async #fetch({ site, epoch, told, have, tellers }: Behind, how: Asking): Promise<void> {
    const isKnown =
      have !== undefined || (await this.#once(`record of ${site}`, () => this.#learn({ site, epoch, tellers }, how)));
    if (isKnown) await this.fill({ site, epoch, upTo: told }, { ...how, first: how.first ?? tellers[0] });
  }

  async #learn(
    { site, epoch, tellers }: Pick<Behind, 'site' | 'epoch' | 'tellers'>,
    { signal }: Asking,
  ): Promise<boolean> {
    const { clients, progress } = this.#options;
    for (const client of clients().filter((one) => tellers.includes(one.site))) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, until one has it
      await this.learnMembers(client, signal);
      if (progress.row(site, epoch) !== undefined) return true;
    }
    return false;
  }

  /** One at a time, and not again at once when it was in vain. */
  #once(key: string, work: () => Promise<boolean>): Promise<boolean> {
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const isTooSoon = (this.#failures.get(key)?.untilMs ?? 0) > Date.now();
    if (isTooSoon || this.#options.clients().length === 0) return Promise.resolve(false);
    const run = work()
      .catch((error: unknown) => this.#failed(error))
      .then((isDone) => this.#settled(key, isDone))
      .finally(() => this.#running.delete(key));
    this.#running.set(key, run);
    return run;
  }

  /** Asks a peer who takes part, and takes what it proves. */
  async learnMembers(client: PeerClient, signal: AbortSignal): Promise<void> {
    const { room, members, progress } = this.#options;
    const head = await client.head(room, signal).catch((error: unknown) => {
      this.#failed(error);
      return undefined;
    });
    if (head === undefined) return;
    await members.take(room, head.members);
    await progress.refresh();
  }

  async #fillFromAny(goal: FeedGoal, { first, not, signal }: Asking): Promise<boolean> {
    const clients = this.#options
      .clients()
      .filter(({ site }) => site !== not)
      .toSorted((one, other) => rank(one, goal, first) - rank(other, goal, first));
    for (const client of clients) {
      // oxlint-disable-next-line no-await-in-loop -- the next one is asked when this one could not help
      if (await this.#fillFrom(client, goal, signal).catch((error: unknown) => this.#failed(error))) return true;
      if (signal.aborted) return false;
      if (client.site === first) this.#options.onFailed(goal.site, client.site);
    }
    return false;
  }

  /** While a page is stored the next one is fetched and checked; it is dropped when this one didn't go in whole. */
  async #fillFrom(client: PeerClient, goal: FeedGoal, signal: AbortSignal): Promise<boolean> {
    const { progress } = this.#options;
    let ahead: Page | undefined;
    for (;;) {
      const have = progress.row(goal.site, goal.epoch)?.n;
      if (have === undefined || have >= goal.upTo) return have !== undefined;
      const page = ahead?.from === have + 1 ? ahead : this.#page(client, { ...goal, from: have + 1 }, signal);
      // oxlint-disable-next-line no-await-in-loop -- a page after the other
      const checked = await page.checked;
      if (checked.items.length === 0) return false;
      const from = have + 1 + checked.items.length;
      ahead = from > goal.upTo ? undefined : this.#page(client, { ...goal, from }, signal);
      // oxlint-disable-next-line no-await-in-loop
      await this.#take(checked);
      // oxlint-disable-next-line no-await-in-loop
      await progress.refresh();
      if ((progress.row(goal.site, goal.epoch)?.n ?? 0) <= have) return false;
    }
  }

  #page(client: PeerClient, place: Place, signal: AbortSignal): Page {
    const { room, ingest } = this.#options;
    const { site, epoch, from } = place;
    const fetched = client.page(room, { site, epoch, from, limit: federationLimits.batchItemsMax }, signal);
    const checked = fetched.then(({ items }) => ingest.check(room, items, { carrier: client.site }));
    // Whoever comes to need the page hears of it.
    checked.catch(() => undefined);
    return { from, checked };
  }

  async #take(checked: CheckedBatch): Promise<void> {
    const outcomes = await this.#options.ingest.store(checked);
    await this.#options.judge(outcomes, checked.items, checked.carrier);
  }

  #failed(error: unknown): false {
    if (!isConnectionError(error)) this.#options.logger.debug({ event: 'link.backfill_failed', err: error });
    return false;
  }

  #settled(key: string, isDone: boolean): boolean {
    if (isDone) this.#failures.delete(key);
    else {
      const count = (this.#failures.get(key)?.count ?? 0) + 1;
      const waitMs = Math.min(againAfterMs.max, againAfterMs.min * 2 ** Math.min(count - 1, 8));
      this.#failures.set(key, { count, untilMs: Date.now() + waitMs });
    }
    return isDone;
  }
}

/**
 * A site whose own stream is open and that has not told of an event has it on its way here, or keeps it from us: either way
 * it is another one that is asked, so that no link carries an event twice.
 */
function askingFor({ site, tellers }: Behind, { carriers, signal }: Looking): Asking {
  const carrier = carriers.get(site);
  return carrier === site && !tellers.includes(site)
    ? { first: undefined, not: site, signal }
    : { first: carrier, signal };
}

/** From whom it was expected, then the site itself, then the others. */
function rank({ site }: PeerClient, goal: FeedGoal, first: string | undefined): number {
  if (site === first) return 0;
  return site === goal.site ? 1 : 2;
}
