import { limits, type Overflow, type Reset } from '@boardwire/contracts';
import { Backoff } from './backoff.ts';
import { asBoardwireError, BoardwireError } from './errors.ts';
import { initialFollowState, type FollowHandlers, type FollowState } from './follow-state.ts';
import { Position } from './position.ts';
import { PresenceList } from './presence-list.ts';
import type { OpenStream, StreamEnd, StreamSignal, StreamTransport } from './stream.ts';
import type { TokenSource } from './tokens.ts';
import { Keystrokes } from './keystrokes.ts';
import { TypingList } from './typing-list.ts';
import { Watchdog } from './watchdog.ts';

export interface FollowPlan extends FollowHandlers {
  baseUrl: string;
  board: string;
  subjects: readonly string[];
  types: readonly string[];
  after: string | undefined;
  last: number | undefined;
  snapshot?: 'state' | undefined;
  overflow?: Overflow | undefined;
  tokens: TokenSource;
  transport: StreamTransport;
  heartbeatMs?: number;
  backoff?: Backoff;
}

/** A stream that stayed open this long counts as a success; shorter ones keep the backoff growing. */
const steadyMs = 5_000;
const laterMs = 5_000;
/** How long a stream may take to open, and how many heartbeats an open one may miss. */
const openingMs = 10_000;
const quietHeartbeats = 2.5;
const floorMaxMs = 5 * 60_000;
/** Streams in a row that end for their token before they open: the site will not take it. */
const refusedTokensMax = 3;

/**
 * Follows one board over streams that break: connect → catching_up → live, and after any break again from the cursor.
 * Ends only by `close()`, or when the site says that coming back is of no use.
 */
export class BoardFollow {
  readonly #plan: FollowPlan;
  readonly #position: Position;
  readonly #presence = new PresenceList();
  readonly #typing: TypingList;
  readonly #keystrokes = new Keystrokes((subject, on) => this.#stream?.typing?.(subject, on));
  readonly #backoff: Backoff;
  readonly #watchdog: Watchdog;
  #state: FollowState = initialFollowState;
  #stream: OpenStream | undefined;
  #token = '';
  #attempt = 0;
  #openedAtMs: number | undefined;
  #retryFloorMs = 0;
  #refusedTokens = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #renewalTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(plan: FollowPlan) {
    this.#plan = plan;
    this.#typing = new TypingList((typists) => plan.onTyping?.(typists));
    this.#position = new Position(plan.after);
    this.#backoff = plan.backoff ?? new Backoff();
    this.#watchdog = new Watchdog(() => this.#ended({ advice: 'return', reason: 'silent' }));
    void this.#connect();
  }

  get state(): FollowState {
    return this.#state;
  }

  /** How far the board was read; give it as `after` to go on from here later. */
  get cursor(): string | undefined {
    return this.#position.cursor;
  }

  /** Tries at once instead of waiting: the network is back, or a person asks. */
  wake(): void {
    if (this.#retryTimer === undefined) return;
    this.#backoff.reset();
    void this.#connect();
  }

  /**
   * Tells others that this account types on a subject. Call it for every keystroke: it is told once a second at most, and
   * runs out by itself 3 s after the last one. `false` ends it at once; a post by this account does as well.
   */
  typing(subject: string, on = true): void {
    this.#keystrokes.pressed(subject, on);
  }

  close(): void {
    this.#finish('closed', undefined);
  }

  async #connect(): Promise<void> {
    this.#stopTimers();
    const attempt = ++this.#attempt;
    this.#show({ phase: this.#state.phase === 'connecting' ? 'connecting' : 'reconnecting', retryAtMs: undefined });
    try {
      const token = await this.#plan.tokens.current();
      if (attempt === this.#attempt) this.#open(token);
    } catch (error) {
      if (attempt === this.#attempt) this.#tokenFailed(asBoardwireError(error));
    }
  }

  #open(token: string): void {
    const { baseUrl, board, subjects, types, after, last, snapshot, overflow, transport, onPresence } = this.#plan;
    this.#token = token;
    this.#openedAtMs = undefined;
    this.#watchdog.start(openingMs);
    const attempt = this.#attempt;
    const isCurrent = () => attempt === this.#attempt;
    const cursor = this.#position.cursor ?? after;
    const request = { baseUrl, token, board, subjects, types, after: cursor, last, snapshot, overflow };
    this.#stream = transport(
      { ...request, wantsPresence: onPresence !== undefined },
      {
        onActivity: () => (isCurrent() ? this.#watchdog.feed() : undefined),
        onSignal: (signal) => (isCurrent() ? this.#signal(signal) : undefined),
        onEnd: (end) => (isCurrent() ? this.#ended(end) : undefined),
      },
    );
    this.#planRenewal();
  }

  #signal(signal: StreamSignal): void {
    switch (signal.kind) {
      case 'event':
        return this.#event(signal);
      case 'cursor':
        return this.#position.advance(signal.cursor);
      case 'resumed':
        return this.#resumed(signal.from);
      case 'reset':
        return this.#reset(signal.reset);
      case 'caught_up':
        this.#position.advance(signal.cursor);
        return this.#show({ phase: 'live' });
      case 'retry':
        this.#retryFloorMs = Math.min(signal.afterMs, floorMaxMs);
        return;
      case 'snapshot':
        return this.#plan.onSnapshot?.(signal.state);
      case 'skipped':
        return this.#plan.onSkipped?.(signal.count);
      case 'stalled':
        // Without the bus events still arrive, by way of the log.
        return this.#show({ stalledSince: signal.reason === 'log' ? signal.since : undefined });
      case 'unstalled':
        return this.#show({ stalledSince: undefined });
      case 'presence_list':
        this.#presence.replace(signal.users, signal.count);
        return this.#plan.onPresence?.(this.#presence.view);
      case 'typing':
        return this.#typing.heard(signal);
      case 'presence_change':
        this.#presence.change(signal.event, signal.user, signal.count);
        return this.#plan.onPresence?.(this.#presence.view);
    }
  }

  #resumed(from: string): void {
    // A stream that starts after our position would leave a silent gap: the one thing that must not be.
    if (this.#position.wouldSkip(from)) {
      this.#reset({ requested: this.cursor ?? null, reason: 'unknown', oldest: from, head: from });
      return;
    }
    this.#position.advance(from);
    this.#opened();
  }

  #reset(reset: Reset): void {
    this.#position.replace(reset.head);
    this.#opened();
    this.#plan.onReset?.(reset);
  }

  #opened(): void {
    this.#openedAtMs = Date.now();
    this.#refusedTokens = 0;
    this.#watchdog.start((this.#plan.heartbeatMs ?? limits.heartbeatMs) * quietHeartbeats);
    this.#show({ phase: 'catching_up', stalledSince: undefined, reason: undefined, error: undefined });
  }

  #event({ cursor, event }: Extract<StreamSignal, { kind: 'event' }>): void {
    if (cursor !== undefined) {
      const verdict = this.#position.judge(cursor);
      if (verdict === 'seen') return;
      // Of an epoch nobody announced: come back with our own cursor, and the site will say `reset`.
      if (verdict === 'foreign') return this.#ended({ advice: 'return', reason: 'foreign_cursor' });
      this.#position.advance(cursor);
    }
    const isReplay = this.#state.phase !== 'live';
    this.#show({ lastEventAtMs: isReplay ? Date.parse(event.time) : Date.now() });
    this.#plan.onEvent(event, { cursor, isReplay });
  }

  #ended(end: StreamEnd): void {
    this.#drop();
    if (end.advice === 'stop') return this.#finish(end.reason, end.error);
    if (end.advice === 'new_token') return void this.#renewAndReturn(end);
    this.#returnLater(end);
  }

  #returnLater(end: StreamEnd): void {
    if (this.#openedAtMs !== undefined && Date.now() - this.#openedAtMs >= steadyMs) this.#backoff.reset();
    const asked = Math.min(end.afterMs ?? this.#retryFloorMs, floorMaxMs);
    const floor = end.advice === 'return_later' && end.afterMs === undefined ? Math.max(asked, laterMs) : asked;
    // A server that names a moment has spread its clients already; more jitter would only make them later.
    const waitMs = end.afterMs !== undefined && this.#backoff.attempts === 0 ? asked : this.#backoff.next(floor);
    this.#show({ phase: 'reconnecting', retryAtMs: Date.now() + waitMs, reason: end.reason, error: end.error });
    this.#retryTimer = setTimeout(() => void this.#connect(), waitMs);
  }

  async #renewAndReturn(end: StreamEnd): Promise<void> {
    const attempt = ++this.#attempt;
    this.#show({ phase: 'reconnecting', reason: end.reason, error: end.error });
    if (++this.#refusedTokens > refusedTokensMax) {
      this.#finish(end.reason, end.error ?? new BoardwireError('token_invalid'));
      return;
    }
    try {
      await this.#plan.tokens.renew(this.#token);
      if (attempt === this.#attempt) await this.#connect();
    } catch (error) {
      if (attempt === this.#attempt) this.#tokenFailed(asBoardwireError(error));
    }
  }

  #tokenFailed(error: BoardwireError): void {
    if (error.isRetryable) this.#returnLater({ advice: 'return', reason: error.code, error });
    else this.#finish(error.code, error);
  }

  /** Presents the next token before this one expires, in place where the transport can. */
  #planRenewal(): void {
    const renewAtMs = this.#plan.tokens.renewAt(this.#token);
    if (renewAtMs === undefined) return;
    const waitMs = Math.min(Math.max(renewAtMs - Date.now(), 100), 2 ** 31 - 1);
    this.#renewalTimer = setTimeout(() => void this.#renewInPlace(this.#attempt), waitMs);
  }

  async #renewInPlace(attempt: number): Promise<void> {
    try {
      const token = await this.#plan.tokens.renew(this.#token);
      if (attempt !== this.#attempt) return;
      if (this.#stream?.authenticate(token) === true) {
        this.#token = token;
        this.#planRenewal();
      } else this.#ended({ advice: 'return', reason: 'token_renewed', afterMs: 0 });
    } catch {
      // The stream lives until its token ends; its end decides then.
    }
  }

  #finish(reason: string, error: BoardwireError | undefined): void {
    if (this.#state.phase === 'closed') return;
    this.#drop();
    this.#stopTimers();
    this.#show({ phase: 'closed', retryAtMs: undefined, reason, error });
  }

  #drop(): void {
    this.#attempt += 1;
    this.#typing.clear();
    this.#keystrokes.clear();
    this.#watchdog.stop();
    clearTimeout(this.#renewalTimer);
    this.#stream?.close();
    this.#stream = undefined;
  }

  #stopTimers(): void {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#renewalTimer);
    this.#retryTimer = undefined;
  }

  #show(change: Partial<FollowState>): void {
    this.#state = { ...this.#state, ...change };
    this.#plan.onState?.(this.#state);
  }
}
