import type { BoardChannel } from './board-channel.ts';
import type { BoardLog } from './board-log.ts';
import type { LogEvent } from './board-ring.ts';

/** So many readers may read the same past from chat by themselves; one more, and it is read once for all. */
const aloneMax = 3;

interface Crowd {
  readers: number;
  filling: Promise<void> | undefined;
  /** What follows this position does not fit into the ring. */
  tooFar: number;
}

/**
 * Fills a ring backwards when a crowd comes back with cursors from before it, as after a restart of this pod: chat is
 * asked for the range once, and everybody is served from memory.
 */
export class RingFiller {
  readonly #log: BoardLog;
  readonly #crowds = new WeakMap<object, Crowd>();

  constructor(log: BoardLog) {
    this.#log = log;
  }

  /** Resolves when the ring reaches back to the position, or can't. Never rejects. */
  async prepare(channel: BoardChannel, position: number): Promise<void> {
    const { ring } = channel;
    if (ring.covers(position) || !ring.hasRoomFor(ring.oldest - 1 - position)) return;
    const crowd = this.#crowds.get(ring) ?? { readers: 0, filling: undefined, tooFar: -1 };
    this.#crowds.set(ring, crowd);
    await crowd.filling;
    if (ring.covers(position) || position <= crowd.tooFar) return;
    crowd.readers += 1;
    if (crowd.readers <= aloneMax) return;
    crowd.filling ??= this.#fill(channel, position, crowd).finally(() => {
      crowd.filling = undefined;
    });
    await crowd.filling;
  }

  async #fill(channel: BoardChannel, position: number, crowd: Crowd): Promise<void> {
    const { ring, epoch, board } = channel;
    const { oldest } = ring;
    const { removals } = channel;
    const older: LogEvent[] = [];
    let bytes = 0;
    try {
      for (let from = position + 1; from < oldest; from = (older.at(-1)?.seq ?? oldest) + 1) {
        // oxlint-disable-next-line no-await-in-loop -- a page starts where the one before ends
        const page = await this.#log.range(board, { from, to: oldest - 1 });
        if (page.epoch !== epoch || page.events[0]?.seq !== from) return;
        older.push(...page.events);
        for (const event of page.events) bytes += event.bytes.length;
        // Few events can be large ones: what doesn't fit is let go at once.
        if (bytes > ring.bytesFree) {
          crowd.tooFar = position;
          return;
        }
      }
    } catch {
      // Each reader asks chat for itself, and is told what it answers.
      return;
    }
    if (channel.removals !== removals) return;
    // It may have let go of events meanwhile: then what was read no longer joins on.
    while (older.at(-1)?.seq === ring.oldest - 1) if (!ring.prepend(older.pop()!)) return;
  }
}
