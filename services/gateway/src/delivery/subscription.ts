import { formatCursor } from '@boardwire/contracts';
import type { LogEvent } from './board-ring.ts';
import { conflateFor } from './conflate-for.ts';
import type { ConflatingWriter } from './conflating-writer.ts';
import type { FilterSet } from './filter-set.ts';
import type { EpochChange, LiveGroup, LiveMember } from './live-group.ts';
import { isInRing, pageOfRing, type ReplayPage } from './replay-source.ts';
import { pageSlice, stateSlice } from './shared-slices.ts';
import type { BoardState } from './state-reader.ts';
import type { StreamStart } from './stream-start.ts';
import type { SubscriptionOptions } from './subscription-options.ts';
import { writeOpening, writeReset } from './write-opening.ts';

/**
 * One client's reading of one board, the same for every transport.
 *
 * - backfill: `position` starts at the cursor; pages of (position, target] are read and written, the next one only
 *   when the socket has drained. Nothing is buffered for this client meanwhile.
 * - cutover: at the target `caught_up` is written; what came since is read the same way. In the tick in which
 *   `position` meets the channel's `passed` it joins the live group, with no await between the look and the step.
 * - live: each pass writes what is above the position at which it joined.
 *
 * A conflating one waits for its socket until `caught_up` only: what it doesn't take from then on waits conflated.
 */
export class Subscription implements LiveMember {
  readonly #options: SubscriptionOptions;
  readonly #forgetRestart: () => void;
  #phase: 'opening' | 'backfill' | 'cutover' | 'live' | 'ended' = 'opening';
  #group: LiveGroup | undefined;
  #position: number;
  #restarted: EpochChange | undefined;
  #wanted: FilterSet;
  /** The end of the last pass that wrote to it. */
  #servedTo = 0;
  readonly #conflating: ConflatingWriter | undefined;
  /** The state comes next; it may have been read already. */
  #owesState: boolean;
  #state: BoardState | undefined;
  joinedAt = 0;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
    this.#position = options.channel.passed;
    this.#wanted = options.wanted;
    this.#owesState = options.hasSnapshot;
    this.#forgetRestart = options.channel.onRestart((change) => {
      if (this.#phase === 'live' || this.#restarted?.epoch === change.epoch) return;
      this.#restarted = this.#conflating?.restart(change) ?? change;
    });
    if (options.overflow === 'conflate') this.#conflating = conflateFor(this, options);
  }

  get board(): string {
    return this.#options.channel.board;
  }

  get wanted(): FilterSet {
    return this.#wanted;
  }

  get isLive(): boolean {
    return this.#phase === 'live';
  }

  /** How far the client has been written to: never passes an event that is not yet in its outbox. */
  get cursor(): string | undefined {
    const { channel } = this.#options;
    if (this.#phase === 'opening' || this.#phase === 'ended' || this.#restarted !== undefined) return undefined;
    return formatCursor(channel.epoch, this.#conflating?.behindAt ?? this.reached);
  }

  /** Up to where a pass or a page has brought what it wants, written or held back for its socket. */
  get reached(): number {
    const { channel } = this.#options;
    return this.#phase === 'live' ? Math.max(this.joinedAt, channel.settled, this.#servedTo) : this.#position;
  }

  /** Opens, replays and goes live. Never rejects; a failure ends this subscription and is told to the observer. */
  async open(start: StreamStart): Promise<void> {
    const { planner, channel, states, replay, turn } = this.#options;
    try {
      if (this.#owesState) this.#state = await states.share(channel, this.#wanted, turn);
      const at = this.#state;
      const plan = () => planner.plan({ channel, wanted: this.#wanted, start, at });
      const opening = await (start.kind === 'live' ? plan() : replay.inTurn(turn, plan));
      if (this.isOver) return;
      // A restart that the plan knows of is told by it.
      if (opening.epoch === channel.epoch) this.#restarted = undefined;
      this.#phase = 'backfill';
      this.#position = opening.position;
      writeOpening(this.#options, opening, start);
      await this.#catchUp(opening.target);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Leaves everything it is in; repeating it does nothing. */
  end(): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.#forgetRestart();
    if (this.#group !== undefined) this.#options.channel.leave(this, this.#group);
    this.#group = undefined;
    this.#conflating?.clear();
  }

  deliver(bytes: Buffer, events: readonly LogEvent[], upTo: number): void {
    if (this.#conflating === undefined) this.#options.outbox.write(bytes, events.length);
    else this.#conflating.write(bytes, events);
    this.#servedTo = upTo;
  }

  deliverEphemeral(bytes: Buffer, events: number): boolean {
    return this.#options.outbox.offer(bytes, events);
  }

  /**
   * Its reader's rights have changed: what is lost is not written from now on, what is gained is from here on. A page
   * that is being read is read again; in the middle of a pass it goes on from what it has really got.
   */
  want(wanted: FilterSet): void {
    this.#wanted = wanted;
    if (this.#phase === 'live')
      this.onBehind(this.#hasPassed() ? this.#options.channel.passed : this.#options.channel.settled);
  }

  onInterrupted(position: number): void {
    if (!this.#hasPassed()) this.onBehind(position);
  }

  onReset(change: EpochChange): void {
    const told = this.#conflating?.restart(change) ?? change;
    this.joinedAt = change.head;
    this.#servedTo = 0;
    if (!this.#options.hasSnapshot) return this.#writeReset(told);
    // The state is to come behind it, and takes a moment.
    this.#restarted = told;
    this.onBehind(change.head);
  }

  onBehind(position: number): void {
    const { channel } = this.#options;
    if (this.#group !== undefined) channel.leave(this, this.#group);
    this.#group = undefined;
    this.#phase = 'cutover';
    this.#position = Math.max(position, this.joinedAt);
    this.#catchUp(undefined).catch((error: unknown) => this.fail(error));
  }

  fail(error: unknown): void {
    if (this.#phase === 'ended') return;
    this.end();
    this.#options.observer.onFailed(error);
  }

  /** Whether it has got all that it is to get of the pass under way; between passes it always has. */
  #hasPassed(): boolean {
    const { settled, passed } = this.#options.channel;
    return settled === passed || Math.max(this.joinedAt, this.#servedTo) >= passed;
  }

  get isOver(): boolean {
    return this.#phase === 'ended' || this.#options.outbox.isSealed;
  }

  /** @param opensUpTo where `caught_up` is due; undefined when it has been said. */
  async #catchUp(opensUpTo: number | undefined): Promise<void> {
    const { channel, outbox } = this.#options;
    const startedAt = performance.now();
    let target = opensUpTo;
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- the next page only when the socket has drained
      await (target === undefined && this.#conflating !== undefined ? undefined : outbox.drained());
      if (this.isOver) return;
      if (this.#restarted !== undefined) {
        this.#goOnAfter(this.#restarted);
        target = undefined;
      }
      if (this.#owesState) {
        // oxlint-disable-next-line no-await-in-loop
        await this.#writeState();
        continue;
      }
      if (target !== undefined && this.#position >= target) {
        this.#writeCaughtUp(target, startedAt);
        target = undefined;
      }
      if (target === undefined && (this.#position === channel.passed || this.#conflateRest())) return this.#join();
      // oxlint-disable-next-line no-await-in-loop
      await (target === undefined && this.#position > channel.passed
        ? channel.whenPassed(this.#position - 1)
        : this.#readPage(target ?? channel.passed));
    }
  }

  async #readPage(upTo: number): Promise<void> {
    const { channel, replay, outbox, turn } = this.#options;
    const wanted = this.#wanted;
    const { access } = channel;
    const after = this.#position;
    const page = await replay.next(channel, { wanted, after, upTo, turn });
    // Others on this socket may have been faster: what waits for one client never is more than a page and what is live.
    // oxlint-disable-next-line no-await-in-loop -- whoever is first after a drain makes the others wait again
    while (outbox.drained() !== undefined) await outbox.drained();
    if (this.isOver || this.#restarted !== undefined) return;
    // Rights or rules have changed while it was read: it may hold what must not be shown any more.
    if (wanted !== this.#wanted || access !== channel.access) return;
    if (page.isPruned === true) return this.#skipPruned(after);
    this.#writePage(page, after);
    this.#position = page.to;
  }

  /** It fell behind for so long that the board has let go of what comes next: it goes on like after a restart. */
  #skipPruned(after: number): void {
    const { epoch, oldest, passed } = this.#options.channel;
    const head = Math.max(passed, oldest - 1);
    this.#restarted = { epoch, head, previous: formatCursor(epoch, after), reason: 'pruned' };
  }

  #writePage(page: ReplayPage, after: number): void {
    if (page.events.length === 0) return;
    const { outbox } = this.#options;
    if (this.#conflating?.isBehind === true) this.#conflating.hold(page.events);
    else outbox.write(pageSlice(this.#options, { page, after, wanted: this.#wanted }), page.events.length);
  }

  /** Takes all that came since from the ring, whether the socket is ready for it or not. */
  #conflateRest(): boolean {
    const { channel } = this.#options;
    const upTo = channel.passed;
    if (this.#conflating === undefined || this.#position > upTo) return false;
    if (!isInRing(channel, { after: this.#position, upTo })) return false;
    while (this.#position < upTo) {
      const after = this.#position;
      const page = pageOfRing(channel, { wanted: this.#wanted, after, upTo });
      this.#writePage(page, after);
      this.#position = page.to;
    }
    return !this.isOver;
  }

  #writeCaughtUp(target: number, startedAt: number): void {
    const { channel, format, outbox, observer } = this.#options;
    this.#phase = 'cutover';
    outbox.write(format.caughtUp(formatCursor(channel.epoch, target)));
    observer.onCaughtUp((performance.now() - startedAt) / 1_000);
  }

  #goOnAfter(change: EpochChange): void {
    this.#restarted = undefined;
    const told = this.#conflating?.restart(change) ?? change;
    this.#position = change.head;
    this.#writeReset(told);
  }

  /** Behind the opening or a reset; its cursor is where the stream goes on, so that coming back leaves nothing out. */
  async #writeState(): Promise<void> {
    const { channel, outbox, states, turn } = this.#options;
    const wanted = this.#wanted;
    const { access } = channel;
    const state = this.#state ?? (await states.share(channel, wanted, turn));
    this.#state = undefined;
    // oxlint-disable-next-line no-await-in-loop -- whoever is first after a drain makes the others wait again
    while (outbox.drained() !== undefined) await outbox.drained();
    if (this.isOver || this.#restarted !== undefined) return;
    // What was read may be of before: it is read again.
    if (wanted !== this.#wanted || access !== channel.access) return;
    if (state.epoch !== channel.epoch || state.removals !== channel.removals) return;
    const cursor = formatCursor(channel.epoch, this.#position);
    outbox.write(stateSlice(this.#options, { state, cursor, wanted }));
    this.#owesState = false;
  }

  #writeReset(change: EpochChange): void {
    writeReset(this.#options, change);
    this.#owesState = this.#options.hasSnapshot;
    this.#state = undefined;
  }

  #join(): void {
    const { channel, format } = this.#options;
    const wanted = this.#wanted;
    this.#phase = 'live';
    this.joinedAt = channel.passed;
    this.#servedTo = 0;
    this.#group = channel.join(this, {
      key: `${format.key} ${wanted.key}`,
      wanted,
      encoder: () => ({
        sharedKey: format.key,
        encode: (epoch, events) => format.events(epoch, events),
        encodeEphemeral: (events) => format.ephemeral(events),
      }),
    });
  }
}
