import { AppError } from '@boardwire/service-kit';
import type { DialectStream } from '@boardwire/dialects';
import type { Boards } from '../delivery/boards.ts';
import type { BoardLog } from '../delivery/board-log.ts';
import type { Framing } from '../delivery/http-chunk.ts';
import type { LiveGroup, LiveMember } from '../delivery/live-group.ts';
import type { Readable } from '../delivery/subscriptions.ts';
import { DialectFeed } from './dialect-feed.ts';

export interface DialectSubscribe extends Omit<Readable, 'asked'> {
  stream: DialectStream;
  formatKey: string;
  framing: Framing;
  member: LiveMember & { joinedAt: number };
  /** The snapshot; written in the tick in which the member joins. */
  onSnapshot: (bytes: Buffer) => void;
}

/** The log moved on while a feed was read; more than a few times means that this pod can't keep up. */
const attemptsMax = 3;

/** Feeds of dialect streams, over the same channels as everything else. */
export class DialectHub {
  readonly #boards: Boards;
  readonly #log: BoardLog;
  readonly #feeds = new Map<string, { feed: DialectFeed; group: LiveGroup }>();

  constructor(boards: Boards, log: BoardLog) {
    this.#boards = boards;
    this.#log = log;
  }

  /** Opens with the snapshot, then live. @returns what ends it. */
  async subscribe(request: DialectSubscribe): Promise<() => void> {
    const { channel, wanted, stream, formatKey, framing, member } = request;
    const key = JSON.stringify(['dialect', stream.path, formatKey, framing, wanted.key]);
    await channel.arrivedHead();
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const placeKey = `${channel.board} ${key}`;
      const known = this.#feeds.get(placeKey);
      // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
      const feed = known !== undefined && known.group.members.size > 0 ? known.feed : await this.#load(request);
      // From here to the join there is no await: the snapshot and the first live event meet.
      const current = this.#feeds.get(placeKey);
      const used = current !== undefined && current.group.members.size > 0 ? current.feed : feed;
      if (!used.catchUp()) continue;
      member.joinedAt = channel.passed;
      request.onSnapshot(used.snapshot());
      const group = channel.join(member, { key, wanted, encoder: () => used });
      this.#feeds.set(placeKey, { feed: used, group });
      return () => {
        channel.leave(member, group);
        if (group.members.size === 0 && this.#feeds.get(placeKey)?.group === group) this.#feeds.delete(placeKey);
      };
    }
    throw new AppError('overloaded', { detail: 'the board moves faster than it can be read' });
  }

  async #load(request: DialectSubscribe): Promise<DialectFeed> {
    const { channel, wanted, stream } = request;
    const { epoch, passed: position } = channel;
    const count = stream.snapshot.last;
    const found =
      count === 0 ? { epoch, events: [] } : await this.#log.newest(channel.board, { wanted, upTo: position, count });
    if (found.epoch !== epoch) await channel.whenLeft(epoch);
    // The position is one of the epoch in which it was looked at.
    if (channel.epoch !== epoch) return this.#load(request);
    const events = found.events.filter((event) => channel.shows(event, wanted));
    const epochOrdinal = this.#boards.info(channel.board)?.epochOrdinal ?? 0;
    return new DialectFeed({ ...request, epochOrdinal }, { events, position });
  }
}
