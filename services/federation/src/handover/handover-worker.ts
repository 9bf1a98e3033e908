import {
  errorTable,
  federationLimits,
  type AppendOutcome,
  type ForeignItem,
  type RedactionsRequest,
} from '@boardwire/contracts';
import { AdvisoryLock, isConnectionError, type Database } from '@boardwire/database';
import { AppError, type Logger, type Loop } from '@boardwire/service-kit';
import type { FederationMetrics } from '../metrics.ts';
import { foreignItemOf } from './foreign-item-of.ts';
import { HandoverStore, type WaitingItem } from './handover-store.ts';

/** Appends to a board's log; one outcome for each item, in their order. A repeat is answered as such. */
export type ForeignAppend = (board: string, items: readonly ForeignItem[]) => Promise<AppendOutcome[]>;

/** Takes content that other sites have removed out of a board, as far as it is there. */
export type ForeignRedact = (board: string, items: RedactionsRequest['items']) => Promise<void>;

export interface HandoverOptions {
  database: Database;
  append: ForeignAppend;
  redact: ForeignRedact;
  metrics: FederationMetrics;
  logger: Logger;
}

/** Another replica may have taken items in; nobody pokes us then. */
const lookEveryMs = 100;
const depthEveryMs = 1_000;
const beatEveryMs = 250;
const backoffMinMs = 100;
const backoffMaxMs = 5_000;

/** Answers to a whole request that say something of its items: alone, each of them would be answered the same. */
const itemFaults: ReadonlySet<string> = new Set([
  'malformed',
  'invalid',
  'invalid_event',
  'invalid_subject',
  'too_large',
]);

/**
 * Brings accepted items into their boards' logs, one replica at a time, each feed in its order. Rows leave the outbox after
 * chat has answered: whatever happens between is repeated, and chat knows its repeats. A board whose chat can't be
 * reached waits by itself; an item that chat refuses is recorded and holds up nothing.
 */
export class HandoverWorker {
  readonly #options: HandoverOptions;
  readonly #store: HandoverStore;
  readonly #waits = new Map<string, { failures: number; untilMs: number }>();
  #wake: () => void = () => undefined;
  #depth = 0;
  #depthAtMs = 0;

  constructor(options: HandoverOptions) {
    this.#options = options;
    this.#store = new HandoverStore(options.database);
  }

  /** As last counted by the replica that leads; 0 on the others. */
  get depth(): number {
    return this.#depth;
  }

  /** Something was accepted. */
  poke(): void {
    this.#wake();
  }

  /** A supervised loop. */
  run(loop: Loop): Promise<void> {
    const body = (signal: AbortSignal) => this.#lead(loop, signal);
    return AdvisoryLock.lead(this.#options.database, 'handover', loop.signal, body, () => loop.beat());
  }

  async #lead(loop: Loop, signal: AbortSignal): Promise<void> {
    const beater = setInterval(() => loop.beat(), beatEveryMs);
    try {
      while (!signal.aborted) {
        const woken = new Promise<void>((resolve) => (this.#wake = resolve));
        // oxlint-disable-next-line no-await-in-loop -- one pass after the other
        const moved = await this.#pass(signal);
        // oxlint-disable-next-line no-await-in-loop
        if (!moved) await loop.idle(lookEveryMs, woken);
      }
    } finally {
      clearInterval(beater);
      this.#depth = 0;
    }
  }

  /** Whether anything was handed over. */
  async #pass(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#count();
      const boards = (await this.#store.boards()).filter(
        (board) => (this.#waits.get(board)?.untilMs ?? 0) <= Date.now(),
      );
      let moved = false;
      for (const board of boards) {
        if (signal.aborted) return false;
        // oxlint-disable-next-line no-await-in-loop -- boards take turns, a batch each
        if (await this.#handOver(board)) moved = true;
      }
      return moved;
    } catch (error) {
      if (isConnectionError(error)) return false;
      throw error;
    }
  }

  async #handOver(board: string): Promise<boolean> {
    const since = performance.now();
    const items = cut(await this.#store.next(board, federationLimits.batchItemsMax));
    const present = items.filter(hasData);
    try {
      const outcomes = present.length === 0 ? [] : await this.#append(board, present);
      // What they name was handed over before them, or isn't any more.
      const redactions = items.flatMap(redactionIn);
      if (redactions.length > 0) await this.#options.redact(board, redactions);
      await this.#settle(items, { present, outcomes });
      this.#waits.delete(board);
      this.#options.metrics.took('hand_over', since);
      return true;
    } catch (error) {
      if (isConnectionError(error)) throw error;
      this.#wait(board, error);
      return false;
    }
  }

  async #append(board: string, items: readonly Present[]): Promise<AppendOutcome[]> {
    try {
      const outcomes = await this.#options.append(board, items.map(foreignItemOf));
      if (outcomes.length !== items.length)
        throw new AppError('upstream_unavailable', { detail: 'outcomes are missing' });
      const later = outcomes.find(isForLater);
      if (later !== undefined) throw new AppError('upstream_unavailable', { detail: 'an item is for later' });
      return outcomes;
    } catch (error) {
      if (!(error instanceof AppError) || !itemFaults.has(error.code)) throw error;
      if (items.length === 1) return [{ outcome: 'refused', id: items[0]!.content.id, code: error.code }];
      const half = Math.ceil(items.length / 2);
      const former = await this.#append(board, items.slice(0, half));
      return [...former, ...(await this.#append(board, items.slice(half)))];
    }
  }

  async #settle(
    items: readonly WaitingItem[],
    { present, outcomes }: { present: readonly WaitingItem[]; outcomes: readonly AppendOutcome[] },
  ): Promise<void> {
    const { metrics, logger } = this.#options;
    const refused = outcomes.flatMap((outcome, at) =>
      outcome.outcome === 'refused' ? [{ item: present[at]!, reason: `chat:${outcome.code}` }] : [],
    );
    for (const { item, reason } of refused) {
      const { room, site, oseq } = item;
      logger.warn({ event: 'handover.refused', room, site, oseq, reason });
    }
    await this.#store.done(items, refused);
    metrics.items('in', 'handed_over', outcomes.length - refused.length);
    metrics.items('in', 'refused_by_chat', refused.length);
  }

  #wait(board: string, error: unknown): void {
    const failures = (this.#waits.get(board)?.failures ?? 0) + 1;
    const ceiling = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(failures - 1, 10));
    this.#waits.set(board, { failures, untilMs: Date.now() + ceiling * (0.5 + Math.random() / 2) });
    this.#options.logger.warn({ event: 'handover.waits', board, failures, err: error });
  }

  async #count(): Promise<void> {
    if (Date.now() - this.#depthAtMs < depthEveryMs) return;
    this.#depthAtMs = Date.now();
    this.#depth = await this.#store.depth();
  }
}

type Present = WaitingItem & { salt: Buffer; data: Buffer };

const hasData = (item: WaitingItem): item is Present => !item.isRedacted && item.data !== null && item.salt !== null;

const redactionIn = ({ content: { redacts, site, author } }: WaitingItem) =>
  redacts === undefined ? [] : [{ ...redacts, by: `${author} of ${site}` }];

/** Refused for now: the whole batch comes again, and chat knows what it has of it. */
const isForLater = (outcome: AppendOutcome) => outcome.outcome === 'refused' && errorTable[outcome.code].retry;

/** A request stays below the bound of a batch, whatever its first item weighs. */
function cut(items: readonly WaitingItem[]): WaitingItem[] {
  let bytes = 0;
  return items.filter(({ data, headerBytes }, at) => {
    bytes += (data?.length ?? 0) + headerBytes;
    return at === 0 || bytes <= federationLimits.batchBytesMax;
  });
}
