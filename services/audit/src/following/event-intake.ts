import type { SyncResponse } from '@boardwire/contracts';
import type { EpochStart, FollowedEvent } from '@boardwire/follower';
import { eventEntry } from '../log/event-entry.ts';
import { TermEnded, type Sequencer } from '../log/sequencer.ts';
import type { ZoneDays } from '../log/zone-days.ts';

export interface EventIntakeOptions {
  sequencer: Sequencer;
  days: ZoneDays;
  siteTimeZone: string;
  loadMark: (board: string, epoch: string) => Promise<number | undefined>;
  signal: AbortSignal;
}

/** Brings what the follower sees into the log, and finds what it can't have seen. */
export class EventIntake {
  readonly #options: EventIntakeOptions;
  readonly #zones = new Map<string, string>();
  /** By board, the epoch of the log that its position was taken from. */
  readonly #positionedIn = new Map<string, string>();
  readonly #heads = new Map<string, { epoch: string; head: number }>();

  constructor(options: EventIntakeOptions) {
    this.#options = options;
  }

  /** Events of one board and epoch, in seq order. Resolves when they are in the log. */
  readonly onEvents = async (board: string, events: FollowedEvent[]): Promise<void> => {
    const { sequencer, signal } = this.#options;
    for (const run of runsOfEpoch(events)) {
      // oxlint-disable-next-line no-await-in-loop -- the next epoch comes after the former
      await sequencer.whenLeading(signal);
      const logEpoch = this.#positionedIn.get(board);
      // The follower is about to begin again behind a mark that went back; what lies between must not look lost.
      if (logEpoch !== undefined && sequencer.committed?.epoch !== logEpoch) throw new TermEnded('the log began anew');
      const seqs = run.map(({ seq }) => seq);
      const entryOf = (at: number) => eventEntry(run[at]!, this.#calendarOf(run[at]!));
      // oxlint-disable-next-line no-await-in-loop
      await sequencer.appendBoard({ board, epoch: run[0]!.epoch, seqs }, entryOf);
    }
  };

  /** Where the follower starts on a board. */
  readonly position = async (board: string, epoch: string): Promise<number | undefined> => {
    const { sequencer, loadMark, signal } = this.#options;
    await sequencer.whenLeading(signal);
    const logEpoch = sequencer.committed?.epoch;
    const mark = await loadMark(board, epoch);
    if (logEpoch === undefined || sequencer.committed?.epoch !== logEpoch) throw new TermEnded('the log began anew');
    this.#positionedIn.set(board, logEpoch);
    return mark;
  };

  /** Before a board's first event of an epoch: what was not audited of the former one can't be had any more. */
  readonly onEpoch = async (board: string, { epoch, head, previous }: EpochStart): Promise<void> => {
    const former = this.#heads.get(board);
    if (previous !== undefined && former?.epoch === previous) {
      await this.#recordLostTail(board, former);
      await this.#recordForgotten(board, previous, head);
    }
    this.#heads.set(board, { epoch, head });
  };

  /** What chat says of its boards. Heads of a new epoch are taken only after `onEpoch` has looked at the former. */
  readonly onControl = ({ boards }: SyncResponse): void => {
    for (const { slug, timeZone, epoch, head } of boards) {
      this.#zones.set(slug, timeZone);
      if (this.#heads.get(slug)?.epoch === epoch) this.#heads.set(slug, { epoch, head });
    }
  };

  async #recordLostTail(board: string, { epoch, head }: { epoch: string; head: number }): Promise<void> {
    const mark = (await this.#options.loadMark(board, epoch)) ?? 0;
    if (mark >= head) return;
    await this.#options.sequencer.recordGap({ kind: 'board', name: board, epoch, first: mark + 1, last: head });
  }

  /** Seq goes on over epochs: a mark above the head means that the board has lost what is audited here. */
  async #recordForgotten(board: string, epoch: string, head: number): Promise<void> {
    const mark = (await this.#options.loadMark(board, epoch)) ?? 0;
    if (mark <= head) return;
    await this.#options.sequencer.recordGap({ kind: 'board', name: board, epoch, first: head + 1, last: mark });
  }

  zoneOf(board: string | undefined): string {
    return (board === undefined ? undefined : this.#zones.get(board)) ?? this.#options.siteTimeZone;
  }

  #calendarOf({ board, committedMs }: FollowedEvent): { day: string; zone: string } {
    const zone = this.zoneOf(board);
    return { zone, day: this.#options.days.dayOf(committedMs, zone) };
  }
}

function runsOfEpoch(events: readonly FollowedEvent[]): FollowedEvent[][] {
  const runs: FollowedEvent[][] = [];
  for (const event of events) {
    const run = runs.at(-1);
    if (run?.[0]?.epoch === event.epoch) run.push(event);
    else runs.push([event]);
  }
  return runs;
}
