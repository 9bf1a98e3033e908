import { eventTypeSchema, filterSchema, limits, type ServerFrame } from '@boardwire/contracts';
import { AppError, appErrorFrom } from '@boardwire/service-kit';
import { overflowOf } from '../delivery/overflow.ts';
import type { Outbox } from '../delivery/outbox.ts';
import { startAfter, type StreamStart } from '../delivery/stream-start.ts';
import type { OpenSubscription } from '../delivery/subscriptions.ts';
import type { Gateway } from '../gateway.ts';
import { knownSlug } from '../http/boards.controller.ts';
import { assertMayRead } from '../http/door.ts';
import type { PresenceChange } from '../presence/presence-view.ts';
import type { Access } from '../rights/access.ts';
import type { TypingListener } from '../typing/typing-audience.ts';
import type { FrameOf } from './client-frames.ts';
import { presenceFrame } from './presence-frame.ts';
import type { SocketFormats } from './socket-formats.ts';

export interface SocketSubscriptionsOptions {
  gateway: Gateway;
  outbox: Outbox;
  formats: SocketFormats;
  send: (frame: ServerFrame) => void;
  /** The last subscription has ended with its reader's last right. */
  onAllLost: () => void;
}

interface Entry {
  subscription: OpenSubscription;
  unwatch: (() => void) | undefined;
  unlisten: () => void;
}

/** The subscriptions of one socket, by the names that its client gave them. */
export class SocketSubscriptions {
  readonly #options: SocketSubscriptionsOptions;
  readonly #entries = new Map<string, Entry>();
  #listener: TypingListener | undefined;

  constructor(options: SocketSubscriptionsOptions) {
    this.#options = options;
  }

  /** @throws AppError */
  open(access: Access, frame: FrameOf<'subscribe'>): void {
    const { gateway, outbox, formats } = this.#options;
    const { sub } = frame;
    if (this.#entries.has(sub)) throw new AppError('conflict', { detail: 'a subscription has this name' });
    if (this.#entries.size >= limits.subscriptionsPerSocketMax) {
      throw new AppError('invalid', { detail: `at most ${limits.subscriptionsPerSocketMax} subscriptions` });
    }
    const start = startOf(frame);
    const readable = gateway.subscriptions.resolve({
      access,
      board: knownSlug(frame.board),
      subjects: checked(frame.subjects),
      types: typesOf(frame),
    });
    assertMayRead(gateway);
    const onFailed = (error: unknown) => this.#failed(sub, error);
    const format = formats.of(sub);
    const overflow = overflowOf(readable, frame.overflow);
    const onReach = () => this.#reachChanged(sub, access);
    const hasSnapshot = frame.snapshot !== undefined;
    const how = { format, outbox, start, overflow, hasSnapshot, onFailed, onReach };
    const subscription = gateway.subscriptions.open({ ...readable, ...how });
    this.#entries.set(sub, { subscription, unwatch: undefined, unlisten: this.#listen(subscription, access) });
  }

  /** @throws AppError `not_found`. */
  close(sub: string): void {
    const entry = this.#entry(sub);
    this.#entries.delete(sub);
    end(entry);
  }

  /** The reader has another token: what it may see is found anew. */
  adopt(access: Access): void {
    for (const { subscription } of this.#entries.values()) subscription.adopt(access);
  }

  closeAll(): void {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    for (const entry of entries) end(entry);
  }

  cursors(): Record<string, string> {
    const cursors: Record<string, string> = {};
    for (const [sub, { subscription }] of this.#entries) {
      const { cursor } = subscription;
      if (cursor !== undefined) cursors[sub] = cursor;
    }
    return cursors;
  }

  /** @throws AppError `not_found`. */
  presence(access: Access, { sub, state }: FrameOf<'presence'>): void {
    if (state === 'off') this.unwatchPresence(sub);
    else this.watchPresence(sub, access);
  }

  /** The list, then each join and leave. Asking again sends the list again. @throws AppError `not_found`. */
  watchPresence(sub: string, { userId }: Access): void {
    const entry = this.#entry(sub);
    const { presence } = this.#options.gateway;
    const { board, reach } = entry.subscription;
    const tell = (change: PresenceChange) => void this.#options.outbox.write(presenceFrame(sub, change));
    entry.unwatch?.();
    entry.unwatch = presence.watch(board, reach, tell, userId);
    tell({ event: 'list', ...presence.list(board, reach, limits.presenceListMax) });
  }

  /** Nothing more of who comes and goes. @throws AppError `not_found`. */
  unwatchPresence(sub: string): void {
    const entry = this.#entry(sub);
    entry.unwatch?.();
    entry.unwatch = undefined;
  }

  /** Who is seen, and who is seen typing, follow what is seen. */
  #reachChanged(sub: string, access: Access): void {
    const entry = this.#entries.get(sub);
    if (entry === undefined) return;
    entry.unlisten();
    entry.unlisten = this.#listen(entry.subscription, access);
    if (entry.unwatch !== undefined) this.watchPresence(sub, access);
  }

  #listen({ board, reach }: OpenSubscription, { userId }: Access): () => void {
    // One for all subscriptions: a socket is told once who types.
    this.#listener ??= { userId, typing: (bytes) => void this.#options.outbox.offer(bytes, 0) };
    return this.#options.gateway.typing.listen(board, reach, this.#listener);
  }

  #entry(sub: string): Entry {
    const entry = this.#entries.get(sub);
    if (entry === undefined) throw new AppError('not_found', { detail: 'no subscription has this name' });
    return entry;
  }

  #failed(sub: string, error: unknown): void {
    const entry = this.#entries.get(sub);
    this.#entries.delete(sub);
    if (entry !== undefined) end(entry);
    const { code, detail } = (appErrorFrom(error) ?? new AppError('internal')).toProblem();
    this.#options.send({ type: 'fail', sub, code, ...(detail === undefined ? {} : { detail }) });
    if (code === 'forbidden' && this.#entries.size === 0) this.#options.onAllLost();
  }
}

function end({ subscription, unwatch, unlisten }: Entry): void {
  unwatch?.();
  unlisten();
  subscription.end();
}

function startOf({ after, last }: FrameOf<'subscribe'>): StreamStart {
  if (after !== undefined) {
    const start = startAfter(after);
    if (start === undefined) throw new AppError('invalid_cursor', { detail: 'after' });
    return start;
  }
  if (last === undefined) return { kind: 'live' };
  if (!Number.isInteger(last) || last < 0 || last > limits.lastMax) {
    throw new AppError('invalid', { detail: `last is a whole number up to ${limits.lastMax}` });
  }
  return { kind: 'last', count: last };
}

function checked(subjects: readonly string[]): readonly string[] {
  const isTooMany = subjects.length === 0 || subjects.length > limits.filtersPerSubscriptionMax;
  if (isTooMany) throw new AppError('invalid', { detail: `1–${limits.filtersPerSubscriptionMax} subjects` });
  const bad = subjects.find((subject) => !filterSchema.safeParse(subject).success);
  if (bad !== undefined) throw new AppError('invalid_filter', { detail: bad.slice(0, 100) });
  return subjects;
}

function typesOf({ types }: FrameOf<'subscribe'>): readonly string[] | undefined {
  const isBad = types?.some((type) => !eventTypeSchema.safeParse(type).success) === true;
  if (isBad || (types?.length ?? 0) > limits.filtersPerSubscriptionMax) {
    throw new AppError('invalid', { detail: 'types' });
  }
  return types;
}
