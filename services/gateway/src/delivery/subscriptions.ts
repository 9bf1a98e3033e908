import type { Overflow } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import type { GatewayMetrics } from '../metrics.ts';
import type { Presence } from '../presence/presence.ts';
import type { Access } from '../rights/access.ts';
import type { Rights, RightsChange } from '../rights/rights.ts';
import type { BoardChannel } from './board-channel.ts';
import type { Boards } from './boards.ts';
import { FilterSet } from './filter-set.ts';
import { OpenReaders, type ReadRequest } from './open-readers.ts';
import type { Outbox } from './outbox.ts';
import type { StreamStart } from './stream-start.ts';
import { SubscribedReader } from './subscribed-reader.ts';
import type { SubscriptionShared } from './subscription-options.ts';
import { Subscription } from './subscription.ts';
import type { WireFormat } from './wire-format.ts';

/** What a reader may get, after rights: the board's channel and the filters that are left. */
export interface Readable {
  channel: BoardChannel;
  wanted: FilterSet;
  /** What it was made from: rights that change are applied to it again. */
  asked: ReadRequest;
}

export interface SubscribeRequest extends Readable {
  format: WireFormat;
  outbox: Outbox;
  start: StreamStart;
  overflow: Overflow;
  hasSnapshot: boolean;
  /** It ended: by a fault of its own, because its board is gone, or with its last right (`forbidden`). */
  onFailed: (error: unknown) => void;
  /** It reaches other subjects than before: its reader's rights, or the board's rules, have changed. */
  onReach?: () => void;
}

/** An open subscription with what belongs to it. */
export interface OpenSubscription {
  readonly board: string;
  /** The subjects it reaches, as presence compares them. */
  readonly reach: readonly string[];
  readonly cursor: string | undefined;
  /** Its reader has a newer token. */
  adopt(access: Access): void;
  /** Idempotent. */
  end(): void;
}

/** What happens to a stream that is no subscription of ours when its reader's rights change. */
export interface HeldRights {
  onChanged: () => void;
  onLost: (error: unknown) => void;
}

export interface SubscriptionsOptions {
  boards: Boards;
  rights: Rights;
  shared: SubscriptionShared;
  presence: Presence;
  metrics: GatewayMetrics;
}

const internedMax = 1_024;

/** Opens subscriptions: the one way for every transport, with the same rights, resume and bounds. */
export class Subscriptions {
  readonly #boards: Boards;
  readonly #rights: Rights;
  readonly #shared: SubscriptionShared;
  readonly #presence: Presence;
  readonly #metrics: GatewayMetrics;
  readonly #filterSets = new Map<string, FilterSet>();
  readonly #readers = new OpenReaders((asked) => this.resolve(asked).wanted);

  constructor(options: SubscriptionsOptions) {
    this.#boards = options.boards;
    this.#rights = options.rights;
    this.#shared = options.shared;
    this.#presence = options.presence;
    this.#metrics = options.metrics;
    this.#rights.onChanged((change) => this.#refresh(change));
  }

  /** @throws AppError `board_unknown`, or `forbidden` when nothing of what is wanted may be seen. */
  resolve(asked: ReadRequest): Readable {
    const { access, board, subjects, types } = asked;
    const channel = this.#boards.channel(board);
    // A board that nothing may be seen of must look like one that isn't there only if it isn't.
    if (channel === undefined) throw new AppError('board_unknown');
    const { filters, memberFilters } = this.#rights.readable(access, board, subjects);
    const isNothing = memberFilters.length === 0 && !filters.some((filter) => channel.access.mayReachOpen(filter));
    if (isNothing) throw new AppError('forbidden', { detail: 'none of the subjects may be read' });
    const wanted = new FilterSet(filters, types, memberFilters, this.#rights.ignoredBy(access));
    return { channel, wanted: this.#interned(wanted), asked };
  }

  open(request: SubscribeRequest): OpenSubscription {
    const { channel, wanted, format, outbox, start, overflow, hasSnapshot } = request;
    const { planner, replay, slices, states } = this.#shared;
    const subscription: Subscription = new Subscription({
      planner,
      replay,
      slices,
      states,
      channel,
      wanted,
      format,
      outbox,
      overflow,
      hasSnapshot,
      turn: {
        userId: request.asked.access.userId,
        onWaiting: () => {
          if (!subscription.isOver) outbox.write(format.waiting());
        },
      },
      observer: {
        onOpened: (outcome, cursorAge) => this.#metrics.opened(outcome, cursorAge),
        onCaughtUp: (seconds) => this.#metrics.replayed(seconds),
        onConflated: (events) => this.#metrics.conflated(events),
        onFailed: (error) => request.onFailed(error),
      },
    });
    const reader = new SubscribedReader(request, subscription, this.#presence);
    const leave = this.#readers.add(reader);
    void subscription.open(start);
    return new Opened(subscription, reader, this.#readers, leave);
  }

  /** For a stream with a way of its own to deliver: it is told when what was resolved for it no longer holds. */
  hold({ wanted, asked }: Readable, { onChanged, onLost }: HeldRights): () => void {
    return this.#readers.add({
      asked,
      onResolved: (now) => {
        if (now.key !== wanted.key) onChanged();
      },
      onLost,
    });
  }

  /** The rules of a board have changed: what may be seen of it is found anew for everybody who reads it. */
  refreshBoard(board: string): void {
    this.#readers.refreshBoard(board);
  }

  /** The board is gone: everybody who reads it is told by their connection. */
  endBoard(board: string): void {
    this.#readers.endBoard(board, new AppError('board_unknown'));
  }

  #refresh({ memberships, userIds }: RightsChange): void {
    for (const userId of userIds) this.#readers.refreshUser(userId);
    for (const { userId, board } of memberships) this.#readers.refreshUser(userId, board);
  }

  /** Equal sets share what they remember. */
  #interned(wanted: FilterSet): FilterSet {
    const known = this.#filterSets.get(wanted.key);
    if (known !== undefined) return known;
    if (this.#filterSets.size >= internedMax) this.#filterSets.clear();
    this.#filterSets.set(wanted.key, wanted);
    return wanted;
  }
}

class Opened implements OpenSubscription {
  readonly #subscription: Subscription;
  readonly #reader: SubscribedReader;
  readonly #readers: OpenReaders;
  readonly #leave: () => void;

  constructor(subscription: Subscription, reader: SubscribedReader, readers: OpenReaders, leave: () => void) {
    this.#subscription = subscription;
    this.#reader = reader;
    this.#readers = readers;
    this.#leave = leave;
  }

  get board(): string {
    return this.#subscription.board;
  }

  get reach(): readonly string[] {
    return this.#reader.reach;
  }

  get cursor(): string | undefined {
    return this.#subscription.cursor;
  }

  adopt(access: Access): void {
    this.#reader.asked = { ...this.#reader.asked, access };
    this.#readers.refresh(this.#reader);
  }

  end(): void {
    this.#leave();
    this.#subscription.end();
    this.#reader.end();
  }
}
