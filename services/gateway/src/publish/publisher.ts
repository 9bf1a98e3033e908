import {
  formatCursor,
  limits,
  redactedType,
  type AppendItem,
  type AppendOutcome,
  type EphemeralReceipt,
  type PublishReceipt,
} from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import type { BoardChannel } from '../delivery/board-channel.ts';
import type { Boards } from '../delivery/boards.ts';
import type { GatewayMetrics } from '../metrics.ts';
import { isPublisher, type Access } from '../rights/access.ts';
import type { RateLimiter } from '../rights/rate-limiter.ts';
import type { Rights } from '../rights/rights.ts';
import type { AppendBatcher } from './append-batcher.ts';
import type { DraftEvent } from './draft-event.ts';
import type { EphemeralExchange } from './ephemeral-exchange.ts';

export type Receipt =
  | (PublishReceipt & { outcome: 'created' | 'repeated' })
  | (EphemeralReceipt & { outcome: 'ephemeral' });

export interface PublisherOptions {
  boards: Boards;
  batcher: AppendBatcher;
  limiter: RateLimiter;
  ephemerals: EphemeralExchange;
  rights: Rights;
  metrics: GatewayMetrics;
  onLimited: (access: Access) => void;
  /** Someone's event was taken. */
  onPosted: (board: string, subject: string, userId: string) => void;
}

const rates = {
  user: { perSecond: limits.publishPerUserPerSecond, burst: limits.publishPerUserBurst },
  publisher: { perSecond: limits.publishPerPublisherPerSecond, burst: limits.publishPerPublisherBurst },
};

/** Publishes for someone: their rate, their rights on each subject, then the log, or at once to who is here. */
export class Publisher {
  readonly #options: PublisherOptions;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** @throws AppError `rate_limited`; a request counts as many events as it brings, also those that are refused. */
  takeRate(access: Access, events: number): void {
    const { limiter, metrics, onLimited } = this.#options;
    const retryAfterMs = limiter.take(access.userId, events, isPublisher(access) ? rates.publisher : rates.user);
    if (retryAfterMs === 0) return;
    metrics.rateLimited('publish');
    onLimited(access);
    throw new AppError('rate_limited', { detail: 'too many events', retryAfterMs });
  }

  /** @throws AppError; one that a repeat can mend carries the event's id. */
  async publish(access: Access, board: string, event: DraftEvent): Promise<Receipt> {
    const [outcome] = await this.publishAll(access, board, [event]);
    if (outcome instanceof AppError) throw outcome;
    return outcome!;
  }

  /** A receipt or a refusal for each event, in their order. */
  async publishAll(access: Access, board: string, events: readonly DraftEvent[]): Promise<(Receipt | AppError)[]> {
    const { boards } = this.#options;
    const channel = boards.channel(board) ?? (await boards.find(board).catch(onlyAppError));
    if (channel instanceof AppError) return events.map(({ id }) => withEventId(channel, id));
    const told = events.map((event) => this.#tellAtOnce(access, channel, event));
    const items = events.filter((_event, at) => told[at] === undefined).map((event) => itemOf(access, event));
    const outcomes = items.length === 0 ? [] : await this.#options.batcher.append(board, items);
    const answered = outcomes.map((outcome, at) => this.#answer(board, items[at]!, outcome));
    return told.map((answer) => answer ?? answered.shift()!);
  }

  /** What needs no log: a refusal, or the receipt of an ephemeral event. */
  #tellAtOnce(access: Access, channel: BoardChannel, event: DraftEvent): Receipt | AppError | undefined {
    const refusal = this.#refusalOf(access, channel, event);
    if (refusal !== undefined || channel.classes.of(event.subject) !== 'ephemeral') return refusal;
    try {
      const receipt = this.#options.ephemerals.publish(channel, itemOf(access, event));
      this.#options.metrics.published('ephemeral', 1);
      this.#options.onPosted(channel.board, event.subject, access.userId);
      return { ...receipt, outcome: 'ephemeral' };
    } catch (error) {
      return withEventId(onlyAppError(error), event.id);
    }
  }

  /** Whether someone may post to a subject. */
  mayPost(access: Access, channel: BoardChannel, subject: string): boolean {
    return this.#options.rights.mayWrite(access, channel.board, subject, channel.access.isOpen(subject));
  }

  #refusalOf(access: Access, channel: BoardChannel, { subject, type, id }: DraftEvent): AppError | undefined {
    const isReserved = type === redactedType;
    if (!isReserved && this.mayPost(access, channel, subject)) return undefined;
    this.#options.metrics.published('refused', 1);
    const detail = isReserved ? 'this type is the platform’s to publish' : `may not publish on ${subject}`;
    return new AppError('forbidden', { detail, id });
  }

  #answer(board: string, item: AppendItem, outcome: AppendOutcome | AppError): Receipt | AppError {
    const { metrics, boards, onPosted } = this.#options;
    const { id, subject, author } = item;
    if (outcome instanceof AppError) {
      metrics.published('failed', 1);
      return withEventId(outcome, id);
    }
    metrics.published(outcome.outcome, 1);
    if (outcome.outcome === 'refused') {
      const { code, detail, errors } = outcome;
      return new AppError(code, { detail, errors, id });
    }
    const { seq, epoch, time } = outcome;
    boards.noteHead(board, epoch, seq);
    onPosted(board, subject, author);
    return { id, board, seq, cursor: formatCursor(epoch, seq), time, outcome: outcome.outcome };
  }
}

function onlyAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  throw error;
}

function itemOf(access: Access, event: DraftEvent): AppendItem {
  return { ...event, author: access.userId, authorname: access.name } as AppendItem;
}

function withEventId(error: AppError, id: string): AppError {
  const { code, detail, retryAfterMs, errors } = error;
  const hint = error.status === 503 ? `${detail ?? 'not accepted'}; repeat with id ${id}` : detail;
  return new AppError(code, { detail: hint, retryAfterMs, errors, cause: error, id });
}
