import { setTimeout as sleep } from 'node:timers/promises';
import type { BoardFollow, BoardwireClient } from '@boardwire/client';
import { parseCursor, type Reset } from '@boardwire/contracts';
import type { Sighting } from './verdict.ts';

const historyPage = 500;

/**
 * Someone who follows a board from a place on, and keeps what came in the order it came. When the stream says `reset`
 * (too much was missed for a replay), the gap is read from history, as any client would.
 */
export class Witness {
  readonly sightings: (Sighting & { atMs: number; isLive: boolean })[] = [];
  readonly #client: BoardwireClient;
  readonly #board: string;
  readonly #follow: BoardFollow;
  /** What came live while history was being read. */
  #held: Witness['sightings'] | undefined;
  #reloads = 0;
  #failure: Error | undefined;

  constructor(client: BoardwireClient, board: string, after: string) {
    this.#client = client;
    this.#board = board;
    this.#follow = client.follow(board, {
      after,
      transport: 'sse',
      onEvent: (event, { cursor, isReplay }) => {
        const place = cursor === undefined ? undefined : parseCursor(cursor);
        if (place === undefined) return;
        const sighting = { seq: place.seq, id: event.id, atMs: performance.now(), isLive: !isReplay };
        (this.#held ?? this.sightings).push(sighting);
      },
      onReset: (reset) => {
        this.#reload(reset).catch((error: Error) => (this.#failure = error));
      },
      onState: ({ phase, error }) => {
        if (phase === 'closed') this.#failure ??= error;
      },
    });
  }

  get reloads(): number {
    return this.#reloads;
  }

  /** What ended it before its time. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** True when everything up to a seq is here; false when the time is over or it failed. */
  async hasReached(seq: number, timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    while ((this.sightings.at(-1)?.seq ?? 0) < seq) {
      if (performance.now() > deadline || this.#failure !== undefined) return false;
      await sleep(20);
    }
    return true;
  }

  close(): void {
    this.#follow.close();
  }

  async #reload({ requested, head }: Reset): Promise<void> {
    this.#reloads += 1;
    this.#held ??= [];
    const until = parseCursor(head)?.seq ?? 0;
    let after = requested ?? undefined;
    for (;;) {
      const page = await this.#client.history(this.#board, {
        subjects: ['>'],
        limit: historyPage,
        ...(after === undefined ? {} : { after }),
      });
      for (const { cursor, id } of page.events) {
        const seq = parseCursor(cursor)?.seq ?? 0;
        if (seq <= until) this.sightings.push({ seq, id, atMs: performance.now(), isLive: false });
      }
      const last = page.events.at(-1);
      if (last === undefined || (parseCursor(last.cursor)?.seq ?? 0) >= until) break;
      after = last.cursor;
    }
    this.sightings.push(...this.#held);
    this.#held = undefined;
  }
}
