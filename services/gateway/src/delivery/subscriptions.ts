import { AppError } from '@boardwire/service-kit';
import type { GatewayMetrics } from '../metrics.ts';
import type { Presence } from '../presence/presence.ts';
import { readable, type Access } from '../rights/access.ts';
import type { BoardChannel } from './board-channel.ts';
import type { Boards } from './boards.ts';
import { FilterSet } from './filter-set.ts';
import type { Outbox } from './outbox.ts';
import type { StreamStart } from './stream-start.ts';
import { Subscription, type SubscriptionShared } from './subscription.ts';
import type { WireFormat } from './wire-format.ts';

export interface ReadRequest {
  access: Access;
  board: string;
  /** Filters as the client asked for them. */
  subjects: readonly string[];
  types?: readonly string[] | undefined;
}

/** What a reader may get, after rights: the board's channel and the filters that are left. */
export interface Readable {
  channel: BoardChannel;
  wanted: FilterSet;
}

export interface SubscribeRequest extends Readable {
  access: Access;
  format: WireFormat;
  outbox: Outbox;
  start: StreamStart;
  /** It ended by a fault of its own, or its board is gone. */
  onFailed: (error: unknown) => void;
}

/** An open subscription with what belongs to it. */
export interface OpenSubscription {
  readonly board: string;
  readonly filters: readonly string[];
  readonly cursor: string | undefined;
  /** Idempotent. */
  end(): void;
}

const internedMax = 1_024;

/** Opens subscriptions: the one way for every transport, with the same rights, resume and bounds. */
export class Subscriptions {
  readonly #boards: Boards;
  readonly #shared: SubscriptionShared;
  readonly #presence: Presence;
  readonly #metrics: GatewayMetrics;
  readonly #filterSets = new Map<string, FilterSet>();
  readonly #open = new Map<string, Set<Subscription>>();

  constructor(options: { boards: Boards; shared: SubscriptionShared; presence: Presence; metrics: GatewayMetrics }) {
    this.#boards = options.boards;
    this.#shared = options.shared;
    this.#presence = options.presence;
    this.#metrics = options.metrics;
  }

  /** @throws AppError `board_unknown`, or `forbidden` when nothing of what is wanted may be seen. */
  resolve({ access, board, subjects, types }: ReadRequest): Readable {
    const channel = this.#boards.channel(board);
    const filters = readable(access, board, subjects);
    // A board that nothing may be seen of must look like one that isn't there only if it isn't.
    if (channel === undefined) throw new AppError('board_unknown');
    const open = filters.filter(
      (filter) => filter.includes('*') || filter.includes('>') || channel.access.isOpen(filter),
    );
    if (open.length === 0) throw new AppError('forbidden', { detail: 'none of the subjects may be read' });
    return { channel, wanted: this.#interned(new FilterSet(open, types)) };
  }

  open(request: SubscribeRequest): OpenSubscription {
    const { channel, wanted, format, outbox, start, access } = request;
    const { board } = channel;
    const leave = this.#presence.enter(board, {
      user: { id: access.userId, name: access.name },
      filters: wanted.filters,
    });
    const { planner, replay, slices } = this.#shared;
    const subscription = new Subscription({
      planner,
      replay,
      slices,
      channel,
      wanted,
      format,
      outbox,
      observer: {
        onOpened: (outcome, cursorAge) => this.#metrics.opened(outcome, cursorAge),
        onCaughtUp: (seconds) => this.#metrics.replayed(seconds),
        onFailed: (error) => request.onFailed(error),
      },
    });
    const siblings = this.#siblings(board);
    siblings.add(subscription);
    void subscription.open(start);
    return new Opened(subscription, siblings, leave);
  }

  /** The board is gone: everybody who reads it is told by their connection. */
  endBoard(board: string): void {
    const siblings = this.#open.get(board) ?? [];
    this.#open.delete(board);
    for (const subscription of siblings) subscription.fail(new AppError('board_unknown'));
  }

  #siblings(board: string): Set<Subscription> {
    let siblings = this.#open.get(board);
    if (siblings === undefined) this.#open.set(board, (siblings = new Set()));
    return siblings;
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
  readonly #siblings: Set<Subscription>;
  readonly #leave: () => void;

  constructor(subscription: Subscription, siblings: Set<Subscription>, leave: () => void) {
    this.#subscription = subscription;
    this.#siblings = siblings;
    this.#leave = leave;
  }

  get board(): string {
    return this.#subscription.board;
  }

  get filters(): readonly string[] {
    return this.#subscription.wanted.filters;
  }

  get cursor(): string | undefined {
    return this.#subscription.cursor;
  }

  end(): void {
    this.#siblings.delete(this.#subscription);
    this.#subscription.end();
    this.#leave();
  }
}
