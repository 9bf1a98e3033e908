import type { Logger } from '@boardwire/service-kit';
import type { AuditMetrics } from '../metrics.ts';
import type { Entry, Gap } from './entry.ts';
import { markKey, type LogState, type LogStore } from './log-store.ts';
import { settle, takeBatch, type Added, type Waiting } from './waiting-entries.ts';

/** Steps at which a test may stop the world. In a running service nobody listens. */
export type Step = 'before append' | 'after append' | 'before witness' | 'before checkpoint' | 'after checkpoint';
export type Probe = (step: Step) => void;

export interface SequencerOptions {
  store: LogStore;
  metrics: AuditMetrics;
  logger: Logger;
  probe?: Probe | undefined;
}

/** The size that is committed, and what it takes to sign it. */
export interface CommittedTree {
  epoch: string;
  size: number;
  root: Buffer;
  /** False: it must not be signed before the log was compared with what its witness has seen. */
  isWitnessed: boolean;
}

/** It isn't known what became of an entry, because this process has ceased to lead: submit it again. */
export class TermEnded extends Error {
  override name = 'TermEnded';
}

/** Commit times kept for the metric while no checkpoint is signed. */
const unsignedMax = 4_096;

/** One stretch of leading: what is loaded, and what waits on it. Any failure ends it, since it may be behind then. */
interface Term {
  state: LogState;
  queue: Waiting[];
  isPumping: boolean;
  committed: CommittedTree;
  end(reason: unknown): void;
}

/**
 * The one place where entries get their numbers. Entries wait while a transaction is under way and go together in the
 * next, at most 512 of them: no timer, the database sets the pace.
 *
 * The state in memory is only ever ahead of the database within one append. If that append fails, its outcome is
 * unknown (a commit may have been lost on the way back): the term ends, everything that waits is rejected, and the next
 * term loads what really is there. Whoever submitted tries again; marks that were stored with their entries tell what
 * has come in already.
 */
export class Sequencer {
  readonly #options: SequencerOptions;
  #term: Term | undefined;
  #waiters: (() => void)[] = [];
  #unsigned: { size: number; oldestMs: number }[] = [];
  #onGrown: () => void = () => undefined;
  #onNewEpoch: () => void = () => undefined;
  #epoch: string | undefined;
  #appendingSince: number | undefined;

  constructor(options: SequencerOptions) {
    this.#options = options;
    options.metrics.queue('sequencer', () => this.#term?.queue.length ?? 0);
  }

  /** Leads until the signal aborts. Rejects with LogDamaged when the stored log is not what was signed. */
  async lead(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const state = await this.#options.store.load();
    await this.countGaps();
    const ended = this.#open(state);
    const onAbort = () => this.#term?.end(new TermEnded('no longer the leader'));
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      await ended;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** What is committed, while this process leads. */
  get committed(): CommittedTree | undefined {
    return this.#term?.committed;
  }

  /** How long the append under way has taken, milliseconds; 0 between appends. */
  get appendingMs(): number {
    return this.#appendingSince === undefined ? 0 : performance.now() - this.#appendingSince;
  }

  /** This process goes on in another epoch of the log than the one it wrote before. */
  onNewEpoch(listener: () => void): void {
    this.#onNewEpoch = listener;
  }

  onGrown(listener: () => void): void {
    this.#onGrown = listener;
  }

  /** Resolves when this process leads and its state is loaded, or when the signal aborts. */
  async whenLeading(signal: AbortSignal): Promise<void> {
    while (this.#term === undefined && !signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- woken by the next term
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  /**
   * Appends the entries of one board, which `entryOf` makes of the numbers that are not in the log yet: repeats are
   * dropped, a hole is recorded as a gap. Resolves when they are committed. Rejects when that is not known: submit them
   * again.
   */
  async appendBoard(
    place: { board: string; epoch: string; seqs: readonly number[] },
    entryOf: (at: number) => Entry,
  ): Promise<void> {
    const { marks } = this.#leading().state;
    const key = markKey(place.board, place.epoch);
    let mark = marks.get(key) ?? 0;
    const added: Added[] = [];
    for (const [at, seq] of place.seqs.entries()) {
      if (seq <= mark) continue;
      added.push({ entry: entryOf(at), gap: gapBetween(place, mark, seq) });
      mark = seq;
    }
    marks.set(key, mark);
    await this.#append(added);
  }

  /** Appends decisions from the inbox, which leave it in the same transaction. */
  async appendDecisions(entries: readonly Entry[]): Promise<void> {
    await this.#append(entries.map((entry) => ({ entry, gap: undefined })));
  }

  /** Records a gap that was found by other means than a hole in what is appended. */
  async recordGap(gap: Gap): Promise<void> {
    this.#options.logger.error({ event: 'audit.gap_found', ...gap });
    await this.#options.store.recordGap(gap);
    await this.countGaps();
  }

  /** Tells the metric how many gaps are open. */
  async countGaps(): Promise<void> {
    this.#options.metrics.gapsOpen(await this.#options.store.openGaps());
  }

  /** Ends the term, if this process leads: the next one begins with what is stored. */
  reload(why: string): void {
    this.#term?.end(new TermEnded(why));
  }

  /** A checkpoint covers the first `size` entries. */
  signed(size: number, nowMs: number): void {
    while (this.#unsigned.length > 0 && this.#unsigned[0]!.size <= size) {
      this.#options.metrics.batchCheckpointed(this.#unsigned.shift()!.oldestMs, nowMs);
    }
  }

  #open(state: LogState): Promise<void> {
    return new Promise((resolve) => {
      const term: Term = {
        state,
        queue: [],
        isPumping: false,
        committed: committedOf(state),
        end: (reason) => {
          if (this.#term === term) this.#term = undefined;
          for (const { group } of term.queue.splice(0)) group.reject(reason);
          resolve();
        },
      };
      this.#term = term;
      if (this.#epoch !== undefined && this.#epoch !== state.epoch) this.#onNewEpoch();
      this.#epoch = state.epoch;
      for (const wake of this.#waiters.splice(0)) wake();
    });
  }

  #leading(): Term {
    if (this.#term === undefined) throw new TermEnded('not the leader');
    return this.#term;
  }

  #append(added: readonly Added[]): Promise<void> {
    if (added.length === 0) return Promise.resolve();
    const term = this.#leading();
    const queuedAt = performance.now();
    return new Promise((resolve, reject) => {
      const group = { left: added.length, resolve, reject };
      for (const { entry, gap } of added) term.queue.push({ entry, gap, group, queuedAt });
      if (!term.isPumping) void this.#pump(term);
    });
  }

  async #pump(term: Term): Promise<void> {
    term.isPumping = true;
    while (term.queue.length > 0) {
      const batch = takeBatch(term.queue);
      try {
        // oxlint-disable-next-line no-await-in-loop -- one transaction at a time is what makes the order
        await this.#commit(term, batch);
        settle(batch);
      } catch (error) {
        this.#options.logger.warn({ event: 'audit.append_failed', entries: batch.length, err: error });
        for (const { group } of batch) group.reject(error);
        term.end(error);
      } finally {
        this.#appendingSince = undefined;
      }
    }
    term.isPumping = false;
  }

  async #commit(term: Term, batch: readonly Waiting[]): Promise<void> {
    const { store, probe } = this.#options;
    const startedAt = performance.now();
    this.#appendingSince = startedAt;
    const entries = batch.map(({ entry }) => entry);
    const gaps = batch.flatMap(({ gap }) => (gap === undefined ? [] : [gap]));
    const { tree } = term.state;
    const growth = tree.grow(entries.map(({ leaf }) => leaf));
    probe?.('before append');
    const { epoch, era, firstSeq } = term.state;
    const batchOf = { place: { era, firstSeq }, entries, growth, gaps };
    if (!(await store.append(epoch, batchOf))) throw new TermEnded('somebody else has appended');
    probe?.('after append');
    term.committed = committedOf(term.state);
    this.#note(term, { entries, gaps, startedAt, queuedAt: batch[0]!.queuedAt });
    this.#onGrown();
    if (gaps.length > 0) await this.countGaps();
  }

  #note(
    term: Term,
    batch: { entries: readonly Entry[]; gaps: readonly Gap[]; startedAt: number; queuedAt: number },
  ): void {
    const { metrics, logger } = this.#options;
    const events = batch.entries.filter(({ from }) => from.kind === 'event');
    metrics.batchAppended({
      events: events.length,
      decisions: batch.entries.length - events.length,
      seconds: (performance.now() - batch.startedAt) / 1_000,
      waitedSeconds: (batch.startedAt - batch.queuedAt) / 1_000,
    });
    for (const gap of batch.gaps) logger.error({ event: 'audit.gap_found', ...gap });
    if (events.length === 0 || this.#unsigned.length >= unsignedMax) return;
    const oldestMs = events.reduce((oldest, { atMs }) => Math.min(oldest, atMs), Infinity);
    this.#unsigned.push({ size: term.committed.size, oldestMs });
  }
}

function committedOf({ epoch, tree, isWitnessed }: LogState): CommittedTree {
  return { epoch, size: tree.size, root: tree.root(), isWitnessed };
}

function gapBetween(place: { board: string; epoch: string }, mark: number, seq: number): Gap | undefined {
  if (seq === mark + 1) return undefined;
  return { kind: 'board', name: place.board, epoch: place.epoch, first: mark + 1, last: seq - 1 };
}
