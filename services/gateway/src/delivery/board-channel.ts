import { formatCursor, type SubjectRule } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import { BoardRing, withoutContent, type LogEvent, type RingBounds } from './board-ring.ts';
import type { EphemeralEvent } from './ephemeral-lane.ts';
import { FanOut, type PassObserver } from './fan-out.ts';
import type { FilterSet } from './filter-set.ts';
import { LiveGroup, type EpochChange, type GroupEncoder, type LiveMember } from './live-group.ts';
import { SubjectAccess } from './subject-access.ts';
import { SubjectClasses } from './subject-classes.ts';

export interface ChannelOptions {
  board: string;
  epoch: string;
  /** Position at which this pod starts to know the board. */
  head: number;
  ring: RingBounds;
  observer: PassObserver;
}

/** An event that exists takes a few milliseconds to this pod; whoever opens a stream waits no longer than this. */
const arrivesWithinMs = 250;
/** Chat tells of a new epoch with its next `/sync`. */
const epochHeardWithinMs = 2_000;

/**
 * One board on this pod: the ring of its newest events and everybody who follows it live.
 *
 * Intake appends in seq order; once per tick a pass delivers what has come since the last one. `passed` moves to the
 * pass's end before its first write, so whoever joins while the pass is under way has read that far from the ring and
 * is skipped by it: each member gets every seq exactly once.
 */
export class BoardChannel {
  readonly board: string;
  readonly #options: ChannelOptions;
  readonly #fanOut: FanOut;
  readonly #listeners = new Set<(change: EpochChange) => void>();
  #access = new SubjectAccess([]);
  #classes = new SubjectClasses([]);
  #epoch: string;
  #ring: BoardRing;
  /** The highest seq of this epoch that is known to exist, here or not. */
  #known: number;
  /** The first seq that the log still keeps. */
  #oldest = 1;
  #removals = 0;
  /** Removed before they came here. */
  readonly #removedAhead = new Set<number>();

  constructor(options: ChannelOptions) {
    this.board = options.board;
    this.#options = options;
    this.#epoch = options.epoch;
    this.#ring = new BoardRing(options.head, options.ring);
    this.#known = options.head;
    this.#fanOut = new FanOut(options.observer, (subject) => this.#access.isOpen(subject));
    this.#fanOut.restart(options.epoch, options.head);
  }

  get epoch(): string {
    return this.#epoch;
  }

  get ring(): BoardRing {
    return this.#ring;
  }

  get access(): SubjectAccess {
    return this.#access;
  }

  get classes(): SubjectClasses {
    return this.#classes;
  }

  /** The last seq that live members have got or are getting. */
  get passed(): number {
    return this.#fanOut.passed;
  }

  /** The last seq that every live member has got. */
  get settled(): number {
    return this.#fanOut.settled;
  }

  /** Where the log ends as far as is known: what was answered to a publisher counts before it arrives here. */
  get head(): number {
    return Math.max(this.#known, this.passed);
  }

  /**
   * Waits a moment for what is known to exist and on its way here, so that whoever has just published sees it in what
   * opens next. Answers where the log ends: `passed`, or beyond it when this pod lags further than that.
   */
  async arrivedHead(): Promise<number> {
    const { epoch, head } = this;
    if (head > this.passed) await Promise.race([this.whenPassed(head - 1), sleep(arrivesWithinMs)]);
    return this.#epoch === epoch ? Math.max(head, this.passed) : this.head;
  }

  /** The first seq that the board still keeps; whoever stands before it has missed something. */
  get oldest(): number {
    return this.#oldest;
  }

  /** Everything before this seq has outlived the board's retention. True when that is news. */
  noteOldest(seq: number): boolean {
    if (seq <= this.#oldest) return false;
    this.#oldest = seq;
    this.noteHead(this.#epoch, seq - 1);
    this.#ring.dropBefore(seq);
    return true;
  }

  /** How many removals of content are reckoned with here: what was read under an older number may hold some. */
  get removals(): number {
    return this.#removals;
  }

  /** The content of these events is gone, wherever it stands. */
  redact(removals: number, seqs: readonly number[]): void {
    this.#removals = removals;
    for (const seq of seqs) {
      if (seq <= this.#ring.last) this.#ring.redact(seq);
      else this.#removedAhead.add(seq);
    }
  }

  /** An event of this seq exists. */
  noteHead(epoch: string, seq: number): void {
    if (epoch === this.#epoch && seq > this.#known) this.#known = seq;
  }

  get members(): number {
    return this.#fanOut.members;
  }

  setRules(rules: readonly SubjectRule[]): void {
    this.#access = new SubjectAccess(rules);
    this.#classes = new SubjectClasses(rules);
    this.#fanOut.interrupt();
  }

  /** Takes events in seq order. Those already seen are dropped. */
  append(events: readonly LogEvent[]): void {
    for (const event of events) {
      if (event.seq <= this.#ring.last) continue;
      // The giver closes holes itself; one that it leaves is a fault there, and nobody may miss it silently.
      if (event.seq !== this.#ring.last + 1) this.restart(this.#epoch, event.seq - 1);
      const taken = this.#removedAhead.delete(event.seq) ? withoutContent(event) : event;
      this.#ring.append(taken);
      this.noteHead(this.#epoch, event.seq);
      this.#fanOut.add(taken);
    }
    this.#ring.touched();
    this.#fanOut.flush();
  }

  /** Delivers to who is live now; nobody can read it later. */
  addEphemeral(event: EphemeralEvent): void {
    this.#fanOut.addEphemeral(event);
  }

  /** Events that wait for the next pass. */
  get waiting(): number {
    return this.#fanOut.waiting;
  }

  /** The log started again, or this pod lost its thread: live members are told, then go on from `head`. */
  restart(epoch: string, head: number): void {
    const reason = epoch === this.#epoch ? ('unknown' as const) : ('epoch' as const);
    const change = { epoch, head, previous: formatCursor(this.#epoch, this.settled), reason };
    this.#known = reason === 'epoch' ? head : Math.max(this.#known, head);
    // What a backup brings back was let go of in the epoch that is over.
    if (reason === 'epoch') this.#oldest = 1;
    this.#epoch = epoch;
    this.#ring.close();
    this.#ring = new BoardRing(head, this.#options.ring);
    const members = this.#fanOut.restart(epoch, head);
    for (const member of members) member.onReset(change);
    // In the same epoch the positions of those who still catch up hold: they read on from chat.
    if (reason === 'unknown') return;
    this.#removedAhead.clear();
    // A backup may know of fewer; what this ring holds is read from now on.
    this.#removals = 0;
    for (const listener of this.#listeners) listener(change);
  }

  /** The board is gone: nothing of it is kept here. */
  close(): void {
    this.#ring.close();
  }

  /** For those who are not live yet. */
  onRestart(listener: (change: EpochChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Waits until this pod has left an epoch that the log was found to have left already.
   * @throws AppError when it doesn't hear of it in time; coming back later mends that
   */
  async whenLeft(epoch: string): Promise<void> {
    if (this.#epoch !== epoch) return;
    await new Promise<void>((resolve, reject) => {
      const late = new AppError('upstream_unavailable', { detail: 'the board’s log has just started again' });
      const timer = setTimeout(() => leave(() => reject(late)), epochHeardWithinMs);
      const forget = this.onRestart(() => leave(resolve));
      const leave = (settle: () => void): void => {
        clearTimeout(timer);
        forget();
        settle();
      };
    });
  }

  /** Joins the live members at exactly `passed`; the caller has written everything before. */
  join(member: LiveMember, group: { key: string; wanted: FilterSet; encoder: () => GroupEncoder }): LiveGroup {
    return this.#fanOut.join(member, group);
  }

  leave(member: LiveMember, group: LiveGroup): void {
    this.#fanOut.leave(member, group);
  }

  /** Resolves after the pass that takes `passed` beyond `position`, or when the log starts again. */
  whenPassed(position: number): Promise<void> {
    return this.#fanOut.whenPassed(position);
  }

  /** Whether an event is to be shown to someone with these filters. */
  shows(event: LogEvent, wanted: FilterSet): boolean {
    const { subject, type, removed } = event;
    return !removed && wanted.matches(subject, type, this.#access.isOpen(subject)) && !wanted.ignores(event);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
