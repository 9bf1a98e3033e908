import type { Presence } from '../presence/presence.ts';
import type { BoardChannel } from './board-channel.ts';
import type { FilterSet } from './filter-set.ts';
import type { OpenReader, ReadRequest } from './open-readers.ts';
import { reachOf } from './reach.ts';
import type { Subscription } from './subscription.ts';

/** The reader behind a subscription: hands changed rights to it, and stands in presence with what it reaches. */
export class SubscribedReader implements OpenReader {
  asked: ReadRequest;
  readonly #channel: BoardChannel;
  readonly #subscription: Subscription;
  readonly #presence: Presence;
  readonly #onReach: (() => void) | undefined;
  #reach: readonly string[];
  #leave: () => void;

  constructor(
    readable: { channel: BoardChannel; wanted: FilterSet; asked: ReadRequest; onReach?: () => void },
    subscription: Subscription,
    presence: Presence,
  ) {
    this.asked = readable.asked;
    this.#channel = readable.channel;
    this.#onReach = readable.onReach;
    this.#subscription = subscription;
    this.#presence = presence;
    this.#reach = reachOf(readable.channel.access, readable.wanted);
    this.#leave = this.#enter();
  }

  get reach(): readonly string[] {
    return this.#reach;
  }

  onResolved(wanted: FilterSet): void {
    if (wanted.key !== this.#subscription.wanted.key) this.#subscription.want(wanted);
    const reach = reachOf(this.#channel.access, wanted);
    if (reach.join(' ') === this.#reach.join(' ')) return;
    this.#reach = reach;
    // In before out, so that nobody sees them leave who still sees them.
    const leave = this.#leave;
    this.#leave = this.#enter();
    leave();
    this.#onReach?.();
  }

  onLost(error: unknown): void {
    this.#subscription.fail(error);
  }

  end(): void {
    this.#leave();
  }

  #enter(): () => void {
    const { board, access } = this.asked;
    return this.#presence.enter(board, { user: { id: access.userId, name: access.name }, filters: this.#reach });
  }
}
