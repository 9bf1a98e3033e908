import type { BoardFollow, BoardwireClient, EventPlace, FollowState } from '@boardwire/client';
import { limits, redactedType, type StoredEvent } from '@boardwire/contracts';
import { Removals } from '../../realtime/removals.ts';
import { Store } from '../../realtime/store.ts';

export interface LiveEvent {
  /** Unique on the screen, also for events without a cursor. */
  key: number;
  event: StoredEvent;
  /** Its content was removed, and is not in `event` any more. */
  isRemoved: boolean;
  cursor: string | undefined;
  arrivedAt: number;
}

export type StartingPoint = 'now' | 'last' | 'start';

export interface LiveQuery {
  board: string;
  subjects: readonly string[];
  from: StartingPoint;
  /** Cursor to go on from, instead of a starting point. */
  after?: string | undefined;
  /** Id of the event that the reader was sent to. */
  eventId?: string | undefined;
}

export interface LiveView {
  events: readonly LiveEvent[];
  connection: FollowState | undefined;
  cursor: string | undefined;
  received: number;
  isPaused: boolean;
  /** Arrived while paused, and shown when it goes on. */
  heldBack: number;
  notice: string | undefined;
}

/** Events on the screen at once; older ones leave it. They are on the board all the same. */
export const eventsMax = 500;
const lastCount = 50;
/** Renders are joined: a busy board brings hundreds of events a second. */
const renderEveryMs = 80;

/** A bounded window on a board's stream. */
export class LiveWindow {
  readonly view = new Store<LiveView>({
    events: [],
    connection: undefined,
    cursor: undefined,
    received: 0,
    isPaused: false,
    heldBack: 0,
    notice: undefined,
  });
  readonly #client: BoardwireClient;
  readonly #query: LiveQuery;
  readonly #removals = new Removals();
  #follow: BoardFollow | undefined;
  #arrived: LiveEvent[] = [];
  #received = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: BoardwireClient, query: LiveQuery) {
    this.#client = client;
    this.#query = query;
  }

  /** Returns the way to close it. */
  open(): () => void {
    const { board, subjects, from, after } = this.#query;
    this.#follow = this.#client.follow(board, {
      subjects,
      ...(after !== undefined
        ? { after }
        : from === 'start'
          ? { after: 'start' }
          : from === 'last'
            ? { last: lastCount }
            : {}),
      onEvent: (event, place) => this.#arrive(event, place),
      onReset: ({ reason }) => {
        this.#show({ notice: `The stream started again at the newest event (${reason}).` });
        void this.#readNotices();
      },
      onState: (connection) => this.#show({ connection, cursor: this.#follow?.cursor }),
    });
    return () => {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#follow?.close();
    };
  }

  reconnect(): void {
    if (this.#follow?.state.phase === 'closed') this.open();
    else this.#client.wake();
  }

  setPaused(isPaused: boolean): void {
    this.#show({ isPaused });
    this.#render();
  }

  clear(): void {
    this.#arrived = [];
    this.#show({ events: [], heldBack: 0, notice: undefined });
  }

  #arrive(event: StoredEvent, { cursor }: EventPlace): void {
    this.#received += 1;
    const isNotice = this.#removals.learn(event);
    const live = { key: this.#received, event, isRemoved: false, cursor, arrivedAt: Date.now() };
    this.#arrived.push(this.#withoutRemoved(live));
    if (isNotice) this.#takeAway();
    if (this.#arrived.length > eventsMax) this.#arrived.shift();
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#render();
    }, renderEveryMs);
  }

  /** What is shown stays behind a reset, and what was told of it meanwhile did not come by the stream. */
  async #readNotices(): Promise<void> {
    const { board, subjects } = this.#query;
    const asked = { subjects, types: [redactedType], limit: limits.historyPageMax };
    const page = await this.#client.history(board, asked).catch(() => undefined);
    for (const event of page?.events ?? []) this.#removals.learn(event);
    this.#takeAway();
  }

  /** At once, also from what is paused or held back. */
  #takeAway(): void {
    this.#arrived = this.#arrived.map((live) => this.#withoutRemoved(live));
    this.#show({ events: this.view.value.events.map((live) => this.#withoutRemoved(live)) });
  }

  #withoutRemoved(live: LiveEvent): LiveEvent {
    if (live.isRemoved || !this.#removals.isGone(live.event)) return live;
    return { ...live, event: withoutContent(live.event), isRemoved: true };
  }

  #render(): void {
    const { events, isPaused } = this.view.value;
    const progress = { received: this.#received, cursor: this.#follow?.cursor };
    if (isPaused) return this.#show({ ...progress, heldBack: this.#arrived.length });
    const shown = [...events, ...this.#arrived.splice(0)].slice(-eventsMax);
    this.#show({ ...progress, events: shown, heldBack: 0 });
  }

  #show(change: Partial<LiveView>): void {
    this.view.set({ ...this.view.value, ...change });
  }
}

/** Whatever else an event brings along is its publisher's words. */
function withoutContent(event: StoredEvent): StoredEvent {
  const { specversion, id, source, type, subject, time, board, author, authorname, origin, class: eventClass } = event;
  return { specversion, id, source, type, subject, time, board, author, authorname, origin, class: eventClass };
}
