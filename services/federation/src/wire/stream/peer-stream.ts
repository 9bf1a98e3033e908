import type { StreamFrame, WireItem } from '@boardwire/contracts';
import { offeredItems } from '../offered-items.ts';
import type { PeerGrant } from '../peer-book.ts';
import type { FeedCursor } from './feed-cursor.ts';
import type { FrameWriter } from './frame-writer.ts';
import type { RoomPulse } from './room-pulse.ts';
import type { SharedPages } from './shared-pages.ts';

export type ByeCode = Extract<StreamFrame, { t: 'bye' }>['code'];

export interface PeerStreamOptions {
  site: string;
  room: string;
  grant: PeerGrant;
  cursors: readonly FeedCursor[];
  pulse: RoomPulse;
  pages: SharedPages;
  writer: FrameWriter;
  heartbeatMs: number;
  onSent: (items: number) => void;
}

/** A vector that has grown is told of at once, and then not again for so long. */
const grownEveryMs = 500;

/**
 * One peer's stream of one room: who takes part, then the items it asked for, for ever. Phases: it goes on while there is
 * anything to send; then it says how far it is, and sleeps until something grows, somebody joins, or it is time to say so
 * again. It never reads a page before the peer has taken the one before.
 */
export class PeerStream {
  readonly site: string;
  readonly room: string;
  readonly #options: PeerStreamOptions;
  readonly #told = new Set<string>();
  #cursors: readonly FeedCursor[];
  #wake: () => void = () => undefined;
  #bye: { code: ByeCode; retryMs?: number } | undefined;
  #beatAt = -Infinity;
  #beatMark = '';

  constructor(options: PeerStreamOptions) {
    this.#options = options;
    this.site = options.site;
    this.room = options.room;
    this.#cursors = options.cursors;
  }

  get buffered(): number {
    return this.#options.writer.buffered;
  }

  /** Ends it with a last frame, now. */
  end(code: ByeCode, retryMs?: number): void {
    if (this.#bye !== undefined) return;
    this.#bye = retryMs === undefined ? { code } : { code, retryMs };
    this.#options.writer.end(lineOf({ t: 'bye', ...this.#bye }));
    this.#wake();
  }

  /** The connection has ended. */
  gone(): void {
    this.#wake();
  }

  /** Resolves when the stream has ended, whoever ended it. */
  async run(): Promise<void> {
    const { pulse, writer } = this.#options;
    const stop = pulse.onBeat(() => this.#wake());
    try {
      while (writer.isOpen) {
        const woken = new Promise<void>((resolve) => (this.#wake = resolve));
        const mark = pulse.mark;
        // oxlint-disable-next-line no-await-in-loop -- one round after the other
        await this.#tellMembers();
        // oxlint-disable-next-line no-await-in-loop
        await this.#pump();
        if (!writer.isOpen || mark !== pulse.mark) continue;
        // oxlint-disable-next-line no-await-in-loop
        await this.#beat();
        // oxlint-disable-next-line no-await-in-loop
        await sleepUntil(woken, this.#nextBeatMs());
      }
    } finally {
      stop();
    }
  }

  /** Before any item of theirs: nobody takes an item of a feed that was not opened. */
  async #tellMembers(): Promise<void> {
    for (const { line, digest } of await this.#options.pulse.members()) {
      if (this.#told.has(digest)) continue;
      this.#told.add(digest);
      this.#options.writer.write(line);
    }
    await this.#makeRoom();
  }

  /** Feeds take turns, a page each, until there is nothing more of any. */
  async #pump(): Promise<void> {
    for (let hasMore = true; hasMore && this.#options.writer.isOpen;) {
      hasMore = false;
      for (const cursor of this.#cursors) {
        // oxlint-disable-next-line no-await-in-loop -- a page after the other
        if (await this.#send(cursor)) hasMore = true;
        // oxlint-disable-next-line no-await-in-loop
        if (performance.now() - this.#beatAt > this.#options.heartbeatMs) await this.#beat();
        if (!this.#options.writer.isOpen) return;
      }
    }
  }

  async #send(cursor: FeedCursor): Promise<boolean> {
    const { pulse, pages, grant, onSent } = this.#options;
    const place = cursor.next(pulse.epochsOf(cursor.site));
    if (place === undefined) return false;
    const page = await pages.read({ site: cursor.site, ...place });
    const items = offeredItems(page, { grant });
    if (items.length === 0) {
      this.#gap(cursor, place);
      return false;
    }
    cursor.moved(items.length);
    const sent = items.filter(({ via }) => !via.includes(this.site));
    this.#options.writer.write(sent.map((item) => lineOf({ t: 'ev', item })).join(''));
    onSent(sent.length);
    await this.#makeRoom();
    return true;
  }

  /** From here on this feed isn't kept here: the stream goes on without it. */
  #gap(cursor: FeedCursor, { epoch, from }: { epoch: string; from: number }): void {
    this.#cursors = this.#cursors.filter((other) => other !== cursor);
    this.#options.writer.write(lineOf({ t: 'gap', site: cursor.site, epoch, from }));
  }

  async #beat(): Promise<void> {
    const { pulse, writer } = this.#options;
    if (this.#nextBeatMs() > 0) return;
    const [mark, vector] = [pulse.mark, pulse.vector];
    const head = (await pulse.head()) ?? null;
    writer.write(lineOf({ t: 'hb', at: new Date().toISOString(), vector, head }));
    this.#beatAt = performance.now();
    this.#beatMark = mark;
  }

  #nextBeatMs(): number {
    const { pulse, heartbeatMs } = this.#options;
    const everyMs = pulse.mark === this.#beatMark ? heartbeatMs : Math.min(grownEveryMs, heartbeatMs);
    return Math.max(0, this.#beatAt + everyMs - performance.now());
  }

  async #makeRoom(): Promise<void> {
    if ((await this.#options.writer.hasRoom()) === 'slow') this.end('slow_consumer');
  }
}

function lineOf(frame: Exclude<StreamFrame, { t: 'hello' | 'member' }> | { t: 'ev'; item: WireItem }): string {
  return `${JSON.stringify(frame)}\n`;
}

async function sleepUntil(woken: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([woken, late]);
  clearTimeout(timer);
}
