import type { BoardTrack } from './board-track.ts';
import type { HoleFiller } from './hole-filler.ts';
import type { StreamIntake } from './stream-intake.ts';

export interface TailWatchOptions {
  intake: StreamIntake;
  filler: HoleFiller;
  onLost: (track: BoardTrack) => void;
}

interface Seen {
  received: number;
  since: number;
}

/** JetStream gets this long to bring what chat says there is. */
const patienceMs = 500;
const restartEveryMs = 2_000;

/**
 * Finds boards that stand still below their head. A hole inside the stream shows itself by the next event; a lost tail
 * shows only here.
 */
export class TailWatch {
  static readonly everyMs = 100;
  readonly #seen = new WeakMap<BoardTrack, Seen>();
  #streamSeen: Seen = { received: 0, since: 0 };
  #restartedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: TailWatchOptions) {}

  look(tracks: Iterable<BoardTrack>): void {
    const now = performance.now();
    const { intake, filler } = this.options;
    if (intake.received !== this.#streamSeen.received) this.#streamSeen = { received: intake.received, since: now };
    for (const track of tracks) {
      if (!this.#standsStill(track, now) || filler.isFilling(track)) continue;
      if (intake.isAttached && filler.hasRoom(track)) this.#lost(track, now);
      filler.want(track);
    }
  }

  /** Below its head without progress for longer than the stream, if there is one, is given. */
  #standsStill(track: BoardTrack, now: number): boolean {
    const seen = this.#seen.get(track);
    if (!track.isBehind || !track.isReady || seen === undefined || seen.received !== track.received) {
      this.#seen.set(track, { received: track.received, since: now });
      return false;
    }
    return now - seen.since >= (this.options.intake.isAttached ? patienceMs : 0);
  }

  /** Only a consumer that claims to have nothing left, or says nothing at all, has lost what the mirror holds. */
  #lost(track: BoardTrack, now: number): void {
    const { intake, onLost } = this.options;
    const isIdle = intake.pending === 0 || now - this.#streamSeen.since >= patienceMs;
    if (track.announced.relayed <= track.received || !isIdle || now - this.#restartedAt < restartEveryMs) return;
    this.#restartedAt = now;
    onLost(track);
    intake.restart();
  }
}
