import {
  appendResponseSchema,
  numericEventId,
  syncResponseSchema,
  type AppendItem,
  type AppendRequest,
} from '@boardwire/contracts';
import { AppError, type InternalClient } from '@boardwire/service-kit';
import type { Boards } from './post-message.ts';

/** Boards as chat keeps them, over internal HTTP. */
export class ChatBoards implements Boards {
  readonly #client: InternalClient;
  /** The newest epoch seen of each board: an epoch that is over doesn't come back. */
  readonly #ordinals = new Map<string, { epoch: string; ordinal: number }>();
  #isReachable = true;

  constructor(client: InternalClient) {
    this.#client = client;
  }

  get isReachable(): boolean {
    return this.#isReachable;
  }

  async append(board: string, item: AppendItem): Promise<number | string> {
    const body: AppendRequest = { items: [item] };
    const { outcomes } = await this.#watched(
      this.#client.request({
        method: 'POST',
        path: `/internal/v1/boards/${board}/events`,
        route: '/internal/v1/boards/{board}/events',
        body,
        schema: appendResponseSchema,
        idempotencyKey: item.id,
      }),
    );
    const outcome = outcomes[0];
    if (outcome === undefined) throw new Error('chat answered no outcome for one event');
    if (outcome.outcome === 'refused') {
      throw new AppError(outcome.code, { detail: outcome.detail, errors: outcome.errors });
    }
    const ordinal = await this.#epochOrdinal(board, outcome.epoch);
    return ordinal === undefined ? outcome.id : numericEventId(ordinal, outcome.seq);
  }

  /** Undefined when chat won't say: the message is posted, and a refusal now would have it posted twice. */
  async #epochOrdinal(board: string, epoch: string): Promise<number | undefined> {
    const known = this.#ordinals.get(board);
    if (known?.epoch === epoch) return known.ordinal;
    const sync = await this.#client
      .request({ method: 'GET', path: '/internal/v1/sync', route: '/internal/v1/sync', schema: syncResponseSchema })
      .catch(() => undefined);
    const found = sync?.boards.find(({ slug }) => slug === board);
    if (found?.epoch !== epoch) return undefined;
    this.#ordinals.set(board, { epoch, ordinal: found.epochOrdinal });
    return found.epochOrdinal;
  }

  async #watched<T>(request: Promise<T>): Promise<T> {
    try {
      const answer = await request;
      this.#isReachable = true;
      return answer;
    } catch (error) {
      this.#isReachable = !(error instanceof AppError && error.code === 'upstream_unavailable');
      throw error;
    }
  }
}
