import { formatCursor, parseCursor, type Cursor, type Overflow } from '@boardwire/contracts';
import type { LogEvent } from '../../src/delivery/board-ring.ts';
import type { FilterSet } from '../../src/delivery/filter-set.ts';
import type { StreamStart } from '../../src/delivery/stream-start.ts';
import { isOpen, type ChangingLog } from './changing-log.ts';
import type { Told } from './wire-decoder.ts';

export interface ReaderOptions {
  log: ChangingLog;
  wanted: FilterSet;
  start: StreamStart;
  replayEventsMax: number;
  overflow: Overflow;
}

/**
 * Somebody who reads a board over many connections and holds what is told against the log itself: nothing missing,
 * nothing twice, in order, under the right cursor, or a `reset` that had a reason.
 */
export class ResumeReader {
  readonly wanted: FilterSet;
  readonly overflow: Overflow;
  readonly faults: string[] = [];
  readonly resets: string[] = [];
  events = 0;
  /** A gateway lost its thread: one that says so is believed. */
  mayLoseThread = false;
  /** What a browser would send as `Last-Event-ID`. */
  lastId: string | undefined;
  #position: Cursor | undefined;
  #isOpening = true;
  #owed: number | undefined;
  /** Where the log ended when this connection was opened. */
  #lastWhenAsked = 0;
  readonly #options: ReaderOptions;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.wanted = options.wanted;
    this.overflow = options.overflow;
  }

  /** How the next connection asks. */
  get start(): StreamStart {
    const held = this.lastId === undefined ? undefined : parseCursor(this.lastId);
    return held === undefined ? this.#options.start : { kind: 'after', cursor: held };
  }

  /** A connection was opened: what comes first must say from where it goes on. */
  connected(): void {
    const { start } = this;
    this.#lastWhenAsked = start.kind === 'after' ? this.#log(start.cursor.epoch).length : 0;
    this.#isOpening = true;
    this.#owed = undefined;
  }

  take({ kind, cursor, body }: Told): void {
    if (kind === 'other') return;
    const at = cursor === undefined ? undefined : parseCursor(cursor);
    if (at === undefined) return this.#fault(`${kind} without a cursor: ${cursor}`);
    if (this.#isOpening !== (kind === 'resumed' || (kind === 'reset' && this.#isOpening))) {
      return this.#fault(`${kind} ${cursor} ${this.#isOpening ? 'before' : 'after'} the opening`);
    }
    if (kind === 'resumed') this.#resumed(at, body as { from: string; head: string; replayed: number });
    else if (kind === 'reset') this.#reset(at, body as { reason: string; requested: string | null });
    else this.#advance(kind, at, body);
    this.#isOpening = false;
    this.#position = at;
    this.lastId = cursor;
  }

  /** Whether everything that there is has been told of. */
  get isAtEnd(): boolean {
    const { log } = this.#options;
    return this.#position?.epoch === log.epoch && this.#position.seq === log.last;
  }

  #resumed(at: Cursor, { from, head, replayed }: { from: string; head: string; replayed: number }): void {
    const end = parseCursor(head)!;
    if (from !== formatCursor(at.epoch, at.seq)) this.#fault(`resumed at ${from} under another id`);
    if (end.epoch !== at.epoch || end.seq > this.#log(at.epoch).length) this.#fault(`a head that isn't: ${head}`);
    const due = this.#matching(at.epoch, at.seq, end.seq).length;
    const isExact = this.#options.log.oldestOf(at.epoch) === 1;
    if (isExact ? replayed !== due : replayed > due)
      this.#fault(`replayed ${replayed}, but ${due} match in (${from}, ${head}]`);
    this.#owed = isExact ? replayed : undefined;
    this.#checkStart(at, end);
  }

  #checkStart(at: Cursor, head: Cursor): void {
    const { start } = this;
    const { log } = this.#options;
    const expected = (): number => {
      if (start.kind === 'after') return start.cursor.seq;
      // Somewhere before the first that is kept: what goes meanwhile was there when it was planned.
      if (start.kind === 'beginning') return Math.min(at.seq, log.oldestOf(at.epoch) - 1);
      if (start.kind !== 'last' || start.count === 0) return head.seq;
      const newest = this.#matching(at.epoch, 0, head.seq).at(-start.count) ?? this.#matching(at.epoch, 0, head.seq)[0];
      return newest === undefined ? head.seq : newest.seq - 1;
    };
    if (start.kind === 'after' && start.cursor.epoch !== at.epoch) this.#fault('resumed in another epoch');
    // With fewer events than asked for, anywhere before the first will do.
    const between = this.#matching(at.epoch, Math.min(at.seq, expected()), Math.max(at.seq, expected()));
    // What is not kept any more may be left out.
    const isSame = between.every(({ seq }) => at.seq > expected() && seq < log.oldestOf(at.epoch));
    if (start.kind === 'last' ? !isSame : at.seq !== expected()) {
      this.#fault(`${JSON.stringify(start)} resumed at ${at.seq}, not ${expected()}`);
    }
  }

  #reset(at: Cursor, { reason }: { reason: string; requested: string | null }): void {
    this.#owed = undefined;
    this.resets.push(reason);
    const { log, replayEventsMax } = this.#options;
    const { start } = this;
    const held = this.#isOpening ? (start.kind === 'after' ? start.cursor : undefined) : this.#position;
    if (at.seq > this.#log(at.epoch).length) this.#fault(`reset to ${formatCursor(at.epoch, at.seq)}, which isn't`);
    const isRight =
      reason === 'epoch'
        ? held === undefined
          ? log.epochs.size > 1
          : held.epoch !== at.epoch
        : reason === 'pruned'
          ? (held?.seq ?? 0) < log.oldestOf(at.epoch) - 1
          : reason === 'too_far'
            ? this.#matching(at.epoch, held?.seq ?? 0, at.seq).length > replayEventsMax
            : this.mayLoseThread || (held !== undefined && held.seq > this.#lastWhenAsked);
    if (!isRight) this.#fault(`reset ${reason} at ${at.seq} for no reason, holding ${JSON.stringify(held)}`);
  }

  #advance(kind: Told['kind'], at: Cursor, body: Record<string, unknown>): void {
    const from = this.#position!;
    if (at.epoch !== from.epoch) return this.#fault(`${kind} of ${at.epoch} within ${from.epoch}`);
    if (kind === 'event' ? at.seq <= from.seq : at.seq < from.seq) this.#fault(`${kind} ${at.seq} behind ${from.seq}`);
    const passed = this.#matching(at.epoch, from.seq, kind === 'event' ? at.seq - 1 : at.seq);
    const missing = passed.filter((event) => !this.#mayGiveWay(at.epoch, event));
    if (missing.length > 0) this.#fault(`${kind} ${at.seq} leaves out ${missing.map(({ seq }) => seq).join()}`);
    if (kind === 'event') this.#checkEvent(at, body);
    if (kind !== 'caught_up') return;
    if (this.#owed !== undefined && this.#owed !== 0) this.#fault(`caught up with ${this.#owed} still to come`);
    this.#owed = undefined;
  }

  /** A newer event of its subject may take the place of one of class `state`, for who asked for that. */
  #mayGiveWay(epoch: string, { isState, seq, subject }: LogEvent): boolean {
    if (this.overflow !== 'conflate' || !isState) return false;
    return this.#matching(epoch, seq, Number.POSITIVE_INFINITY).some((newer) => newer.subject === subject);
  }

  #checkEvent(at: Cursor, { id }: Record<string, unknown>): void {
    this.events += 1;
    if (this.#owed !== undefined) this.#owed -= 1;
    const event = this.#log(at.epoch)[at.seq - 1];
    if (id !== `${at.epoch}/${at.seq}`) this.#fault(`${String(id)} came as ${formatCursor(at.epoch, at.seq)}`);
    if (event === undefined || !this.wanted.matches(event.subject, event.type, isOpen(event.subject)))
      this.#fault(`${at.seq} wasn't wanted`);
  }

  #matching(epoch: string, after: number, upTo: number): LogEvent[] {
    return this.#log(epoch)
      .slice(after, Math.max(after, upTo))
      .filter(({ subject, type }) => this.wanted.matches(subject, type, isOpen(subject)));
  }

  #log(epoch: string): LogEvent[] {
    return this.#options.log.epochs.get(epoch) ?? [];
  }

  #fault(text: string): void {
    if (this.faults.length < 5) this.faults.push(text);
  }
}
