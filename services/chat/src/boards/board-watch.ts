import { isConnectionError } from '@boardwire/database';
import type { Loop } from '@boardwire/service-kit';
import { bounds } from '../bounds.ts';
import { available } from '../store/available.ts';
import type { BoardPosition, BoardRow, BoardStore } from './board-store.ts';
import type { ChangeClock } from './change-clock.ts';

export interface WatchedBoard extends BoardRow, BoardPosition {
  /** When it last changed, by the clock of changes. */
  changedAt: number;
}

export type AppendListener = (board: WatchedBoard) => void;

/**
 * What this process knows of all boards, kept fresh by one small query every 100 ms, however many followers wait, and
 * moved at once by what this process appends itself.
 */
export class BoardWatch {
  readonly #boards = new Map<number, WatchedBoard>();
  readonly #bySlug = new Map<string, WatchedBoard>();
  readonly #removed = new Map<string, number>();
  readonly #listeners = new Set<AppendListener>();
  #freshMs: number | undefined;
  #refreshing: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #clock: ChangeClock;

  constructor(
    private readonly store: BoardStore,
    clock: ChangeClock,
  ) {
    this.#clock = clock;
  }

  /** A supervised loop. Without Postgres it keeps trying, alive. */
  async run(loop: Loop): Promise<void> {
    while (!loop.signal.aborted) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- polling
        await this.refresh();
      } catch (error) {
        if (!isConnectionError(error)) throw error;
      }
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      // oxlint-disable-next-line no-await-in-loop -- hints come with each commit elsewhere, and need no query each
      await loop.idle(bounds.watchPauseMs);
      // oxlint-disable-next-line no-await-in-loop
      await loop.idle(bounds.watchEveryMs - bounds.watchPauseMs, woken);
    }
  }

  /** Looks again now rather than in a moment. */
  poke(): void {
    this.#wake?.();
  }

  /** Called for each board whose head has risen, here or elsewhere. */
  onAppended(listener: AppendListener): void {
    this.#listeners.add(listener);
  }

  /** Milliseconds since the last look at the database that succeeded. */
  get ageMs(): number {
    return this.#freshMs === undefined ? Infinity : performance.now() - this.#freshMs;
  }

  all(): WatchedBoard[] {
    return [...this.#boards.values()];
  }

  /** Slugs of boards that went after `moment`. */
  removedSince(moment: number): string[] {
    return [...this.#removed].filter(([, at]) => at > moment).map(([slug]) => slug);
  }

  get(id: number): WatchedBoard | undefined {
    return this.#boards.get(id);
  }

  /** A board by its slug; one that is unknown here may have just been created elsewhere, so the database is asked. */
  async find(slug: string): Promise<WatchedBoard | undefined> {
    const known = this.#bySlug.get(slug);
    if (known !== undefined) return known;
    return available(async () => {
      if (!(await this.store.isThere(slug))) return undefined;
      await this.refresh();
      return this.#bySlug.get(slug);
    });
  }

  /** This process has committed up to `head`. */
  noteAppended(id: number, head: number): void {
    const board = this.#boards.get(id);
    if (board === undefined || head <= board.head) return;
    board.head = head;
    board.changedAt = this.#clock.tick();
    this.#tell(board);
  }

  noteRelayed(id: number, seq: number): void {
    const board = this.#boards.get(id);
    if (board === undefined || seq <= board.relayed) return;
    board.relayed = seq;
    board.changedAt = this.#clock.tick();
  }

  /** Sees everything that was committed before the call; overlapping calls share their look at the database. */
  async refresh(): Promise<void> {
    await this.#refreshing?.catch(() => undefined);
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = undefined));
    await this.#refreshing;
  }

  async #refresh(): Promise<void> {
    const positions = await this.store.positions();
    const outdated = positions.filter(({ id, version }) => this.#boards.get(id)?.version !== version);
    const rows = outdated.length === 0 ? [] : await this.store.load(outdated.map(({ id }) => id));
    const rowById = new Map(rows.map((row) => [row.id, row]));
    for (const position of positions) this.#apply(position, rowById.get(position.id));
    this.#forgetMissing(new Set(positions.map(({ id }) => id)));
    this.#freshMs = performance.now();
  }

  #apply(position: BoardPosition, row: BoardRow | undefined): void {
    const known = this.#boards.get(position.id);
    const board = known ?? (row === undefined ? undefined : { ...row, ...position, changedAt: 0 });
    if (board === undefined) return;
    const hasRisen = position.head > board.head || known === undefined;
    if (known !== undefined && !isChanged(known, position, row)) return;
    const { epoch, head, relayed, rebuilds } = known ?? position;
    Object.assign(board, row ?? {}, position, { version: row?.version ?? board.version });
    // What this process committed or relayed since the query began is newer than its answer.
    if (epoch === position.epoch) {
      board.head = Math.max(head, position.head);
      if (rebuilds === position.rebuilds) board.relayed = Math.max(relayed, position.relayed);
    }
    board.changedAt = this.#clock.tick();
    this.#boards.set(board.id, board);
    this.#bySlug.set(board.slug, board);
    this.#removed.delete(board.slug);
    if (hasRisen) this.#tell(board);
  }

  #forgetMissing(present: ReadonlySet<number>): void {
    for (const [id, { slug }] of this.#boards) {
      if (present.has(id)) continue;
      this.#boards.delete(id);
      this.#bySlug.delete(slug);
      this.#removed.set(slug, this.#clock.tick());
    }
  }

  #tell(board: WatchedBoard): void {
    for (const listener of this.#listeners) listener(board);
  }
}

function isChanged(known: WatchedBoard, position: BoardPosition, row: BoardRow | undefined): boolean {
  return (
    row !== undefined ||
    position.epoch !== known.epoch ||
    position.head > known.head ||
    position.relayed > known.relayed ||
    position.pruned !== known.pruned ||
    position.removals !== known.removals ||
    position.rebuildsAsked !== known.rebuildsAsked ||
    position.rebuilds !== known.rebuilds
  );
}
