import { setTimeout as sleep } from 'node:timers/promises';
import { boardSubject, busHeaders, messageId } from '@boardwire/contracts';
import type { AckedPublisher, PublishFailed } from '@boardwire/messaging';
import { AckedPrefix } from './acked-prefix.ts';
import type { FreshRows } from './fresh-rows.ts';
import type { RelayMark, RelayRow, RelayStore } from './relay-store.ts';
import type { RelayWindow } from './relay-window.ts';

export interface BoardRelayOptions {
  board: { readonly id: number; readonly slug: string; readonly epoch: string; readonly head: number };
  mark: RelayMark;
  store: RelayStore;
  fresh: FreshRows;
  publisher: AckedPublisher;
  window: RelayWindow;
  onAcked: (events: number) => void;
  onFailed: (failure: PublishFailed) => void;
  /** The mark is saved. */
  onMarked: (seq: number) => void;
  onWaited: (seconds: number) => void;
}

const saveEveryMs = 50;
/** Then another board may have its turn. */
const pagesPerTurn = 8;

/**
 * Publishes one board into the mirror, in seq order and pipelined. The mark moves over the contiguous acknowledged
 * prefix only; at the first failure it stops and begins again behind that prefix. The mirror drops what it has twice by
 * its message id, and followers drop it by seq.
 */
export class BoardRelay {
  readonly #options: BoardRelayOptions;
  readonly #acked: AckedPrefix;
  #sent: number;
  #saved: number;
  #inFlight = 0;
  #failure: PublishFailed | undefined;
  #settled: (() => void) | undefined;
  #saving: Promise<void> | undefined;
  #isEnding = false;

  constructor(options: BoardRelayOptions) {
    this.#options = options;
    this.#acked = new AckedPrefix(options.mark.seq);
    this.#sent = options.mark.seq;
    this.#saved = options.mark.seq;
  }

  /** Also after a failure that came when everything was sent. */
  hasWork(): boolean {
    return this.#options.board.head > this.#sent || this.#failure !== undefined;
  }

  /**
   * Until the board's head is published, its turn is over, something fails, or the signal aborts. False: begin again
   * after a pause.
   */
  async pump(signal: AbortSignal): Promise<boolean> {
    try {
      for (let pages = 0; pages < pagesPerTurn && this.#mayGoOn(signal); pages += 1) {
        // oxlint-disable-next-line no-await-in-loop -- page by page
        const rows = await this.#next();
        if (rows.length === 0) break;
        // oxlint-disable-next-line no-await-in-loop
        await this.#publish(rows, signal);
      }
      await this.#allSettled(() => this.#failure !== undefined || signal.aborted);
      return this.#failure === undefined;
    } finally {
      this.#beginAgainAfterFailure();
    }
  }

  /** Saves what was acknowledged last, if the database lets it; bounded by the statement's timeout. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#saving;
    await this.#save();
  }

  /** Everything that was published has its answer; bounded by the timeout of acknowledgements. */
  settled(): Promise<void> {
    return this.#allSettled(() => true);
  }

  /** What was committed a moment ago is still at hand; everything else is read from the log. */
  async #next(): Promise<readonly RelayRow[]> {
    const { fresh, store, board } = this.#options;
    return fresh.take(board, this.#sent) ?? store.page(board.id, this.#sent);
  }

  #mayGoOn(signal: AbortSignal): boolean {
    return this.#options.board.head > this.#sent && this.#failure === undefined && !signal.aborted;
  }

  async #publish(rows: readonly RelayRow[], signal: AbortSignal): Promise<void> {
    for (const row of rows) {
      // oxlint-disable-next-line no-await-in-loop -- waits only when the window is full
      if (this.#options.window.isFull) await this.#options.window.room();
      if (this.#failure !== undefined || signal.aborted) return;
      if (row.seq !== this.#sent + 1)
        throw new Error(`the log of ${this.#options.board.slug} has a hole at ${row.seq}`);
      this.#sent = row.seq;
      this.#send(row);
    }
  }

  #send(row: RelayRow): void {
    const { board, publisher, window } = this.#options;
    const data = Buffer.from(row.body ?? '');
    this.#inFlight += 1;
    window.enter(data.length);
    publisher.send(boardSubject(board.slug, row.subject), data, headersOf(board.slug, row), (failure) => {
      this.#inFlight -= 1;
      window.leave(data.length);
      if (failure === undefined) this.#onAcked(row);
      else this.#onFailed(failure);
      if (this.#inFlight === 0) this.#settled?.();
    });
  }

  #onAcked(row: RelayRow): void {
    const before = this.#acked.through;
    this.#acked.add(row.seq);
    const gained = this.#acked.through - before;
    if (gained === 0) return;
    this.#options.onAcked(gained);
    // One observation for a stretch, not for each event.
    if (this.#acked.through === this.#sent) this.#options.onWaited(Math.max(0, Date.now() - row.committedMs) / 1_000);
    this.#saving ??= this.#keepSaving().finally(() => (this.#saving = undefined));
  }

  #onFailed(failure: PublishFailed): void {
    if (this.#failure === undefined) this.#options.onFailed(failure);
    this.#failure ??= failure;
  }

  /** At once for a lone event; in steps for a stream of them, which would otherwise be a commit for each ack. */
  async #keepSaving(): Promise<void> {
    while (this.#saved < this.#acked.through && !this.#isEnding) {
      // oxlint-disable-next-line no-await-in-loop -- one update after the other
      await this.#save();
      // oxlint-disable-next-line no-await-in-loop
      await sleep(saveEveryMs);
    }
  }

  /** A mark that can't be saved now is saved with a later one; at worst events are published twice. */
  async #save(): Promise<void> {
    const { store, board, mark, onMarked } = this.#options;
    const seq = this.#acked.through;
    if (seq <= this.#saved) return;
    try {
      await store.raiseMark(board.id, { seq, rebuilds: mark.rebuilds });
      this.#saved = seq;
      onMarked(seq);
    } catch {
      return;
    }
  }

  async #allSettled(isNeeded: () => boolean): Promise<void> {
    if (!isNeeded() || this.#inFlight === 0) return;
    await new Promise<void>((resolve) => (this.#settled = resolve));
    this.#settled = undefined;
  }

  #beginAgainAfterFailure(): void {
    if (this.#failure === undefined) return;
    this.#failure = undefined;
    this.#acked.dropAhead();
    this.#sent = this.#acked.through;
  }
}

function headersOf(slug: string, row: RelayRow): Record<string, string> {
  return {
    [busHeaders.messageId]: messageId(slug, row.epoch, row.seq),
    [busHeaders.seq]: String(row.seq),
    [busHeaders.epoch]: row.epoch,
    [busHeaders.type]: row.type,
    [busHeaders.class]: row.class,
    [busHeaders.time]: String(row.committedMs),
    [busHeaders.datahash]: row.datahash,
  };
}
