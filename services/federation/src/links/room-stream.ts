import type { FeedVector, StreamFrame } from '@boardwire/contracts';
import type { CheckedBatch } from '../ingest/ingest.ts';
import type { LinkMembers } from './link-parts.ts';
import { ItemBatches } from './item-batches.ts';
import { LinkError, boundedRetryMs } from './link-error.ts';
import type { OpenedStream, PeerClient } from './peer-client.ts';
import type { RoomLinks } from './room-links.ts';

export interface RoomStreamOptions {
  links: RoomLinks;
  client: PeerClient;
  members: LinkMembers;
  /** The peer was heard. */
  onHeard: (what: { clockOffsetMs?: number }) => void;
}

/** Why a stream ended without a fault. */
export type StreamEnd = { why: 'selection' } | { why: 'bye'; code: string; retryMs: number | undefined };

/** As long as the choice of feeds still changes, a stream isn't opened anew for it. */
const selectionSettledMs = 250;
const lookEveryMs = 50;
/** Missing so many heartbeats, a stream is dead, whatever its connection says. */
const heartbeatsMissedMax = 2.5;

/** One stream of one room from one peer, until it ends: members are taken before the items behind them, items in batches. */
export class RoomStream {
  readonly #options: RoomStreamOptions;

  constructor(options: RoomStreamOptions) {
    this.#options = options;
  }

  /** @throws LinkError, DialError, HopError; whatever taking the items failed with */
  async run(signal: AbortSignal): Promise<StreamEnd> {
    const { links, client } = this.#options;
    const feeds = links.feedsOf(client.site);
    await links.progress.refresh();
    const request = { have: links.progress.vector, feeds: [...feeds] };
    const stream = await client.stream(links.room, request, signal);
    this.#heard(stream.vector);
    const watch = new SelectionWatch(links, client.site, feeds, () => stream.frames.close());
    const batches = new ItemBatches<CheckedBatch>(
      {
        check: (items) => links.intake.check(items, client),
        take: (checked) => links.intake.take(checked, client, signal),
      },
      () => stream.frames.close(),
    );
    links.opened(client.site, (site) => batches.holds(site));
    try {
      return await this.#read(stream, { batches, watch });
    } catch (error) {
      if (watch.hasChanged) return { why: 'selection' };
      await batches.settled();
      throw error;
    } finally {
      watch.stop();
      stream.frames.close();
      await batches.settled().catch(() => undefined);
    }
  }

  async #read({ frames, heartbeatMs }: OpenedStream, work: Work): Promise<StreamEnd> {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- a frame after the other
      const frame = await frames.next(heartbeatMs * heartbeatsMissedMax);
      if (frame === undefined) throw new LinkError('ended', 'the stream ended without a word');
      if (frame.t === 'bye') {
        // oxlint-disable-next-line no-await-in-loop
        await work.batches.settled();
        return { why: 'bye', code: frame.code, retryMs: boundedRetryMs(frame.retryMs) };
      }
      // oxlint-disable-next-line no-await-in-loop
      await this.#take(frame, work);
    }
  }

  async #take(frame: StreamFrame, { batches, watch }: Work): Promise<void> {
    const { links } = this.#options;
    switch (frame.t) {
      case 'ev':
        return batches.add(frame.item);
      case 'hb':
        return this.#heard(frame.vector, Date.parse(frame.at) - Date.now());
      case 'gap':
        return watch.skipped(frame);
      case 'member':
        await batches.settled();
        await this.#options.members.take(links.room, [frame.member]);
        return links.progress.refresh();
      default:
        throw new LinkError('bad_answer', 'a second hello');
    }
  }

  #heard(vector: FeedVector, clockOffsetMs?: number): void {
    const { links, client, onHeard } = this.#options;
    links.heard(client.site, vector);
    onHeard(clockOffsetMs === undefined ? {} : { clockOffsetMs });
  }
}

interface Work {
  batches: ItemBatches<CheckedBatch>;
  watch: SelectionWatch;
}

type Gap = Pick<Extract<StreamFrame, { t: 'gap' }>, 'site' | 'epoch' | 'from'>;

/**
 * Notices that this stream should ask for other feeds than it does, once that has been so for a while; and that a feed
 * which it had to leave out, for want of a place, has got beyond that place with somebody else's help.
 */
class SelectionWatch {
  hasChanged = false;
  readonly #timer: NodeJS.Timeout;
  readonly #gaps: Gap[] = [];
  #sinceMs: number | undefined;

  constructor(
    private readonly links: RoomLinks,
    private readonly peer: string,
    asked: readonly string[],
    onChanged: () => void,
  ) {
    const wanted = [...asked].toSorted().join();
    this.#timer = setInterval(() => {
      const isSame = [...links.feedsOf(peer)].toSorted().join() === wanted;
      if (isSame && !this.#gaps.some((gap) => this.#isFilled(gap))) this.#sinceMs = undefined;
      else if (Date.now() - (this.#sinceMs ??= Date.now()) >= selectionSettledMs) {
        this.hasChanged = true;
        this.stop();
        onChanged();
      }
    }, lookEveryMs);
  }

  /** The peer doesn't keep this part of a feed. */
  skipped(gap: Gap): void {
    this.#gaps.push(gap);
    this.links.failed(gap.site, this.peer);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #isFilled({ site, epoch, from }: Gap): boolean {
    return (this.links.progress.row(site, epoch)?.n ?? 0) >= from;
  }
}
