import { formatCursor, type HistoryPage } from '@boardwire/contracts';
import { historyAnswer } from '../http/history-answer.ts';
import type { BoardChannel } from './board-channel.ts';
import type { FilterSet } from './filter-set.ts';
import type { ReplayGate, ReplayTurn } from './replay-gate.ts';

/** The state of a board for someone: the newest event of each subject of class `state` that they want and may see. */
export interface BoardState {
  epoch: string;
  /** The seq at which the board stood like this. */
  head: number;
  /** The channel's removals before it was read. */
  removals: number;
  /** The body of `GET /v1/boards/{board}/state`, and what a stream's snapshot carries. */
  json: string;
}

export interface StateLog {
  state(board: string, wanted: FilterSet): Promise<HistoryPage>;
}

/** Builds states: the one way for the route and for streams. */
export class StateReader {
  readonly #log: StateLog;
  readonly #gate: ReplayGate;
  readonly #underWay = new Map<string, Promise<BoardState>>();

  constructor(log: StateLog, gate: ReplayGate) {
    this.#log = log;
    this.#gate = gate;
  }

  /** As the board stands now: whoever has just published sees it. */
  async read(channel: BoardChannel, wanted: FilterSet): Promise<BoardState> {
    const { removals } = channel;
    const page = await this.#log.state(channel.board, wanted);
    const { board, epoch, head, oldest = 1, more } = page;
    const items = page.items
      .filter(({ subject, type, body = '' }) => {
        // By the rules of now as well: of a subject that has become a log an older state would not be its newest word.
        const isState = channel.classes.of(subject) === 'state';
        if (body === '' || !isState || !wanted.matches(subject, type, channel.access.isOpen(subject))) return false;
        return !wanted.ignores({ type, bytes: body });
      })
      .map(({ seq, body }) => ({ cursor: formatCursor(epoch, seq), body: body! }));
    const answer = { board, epoch, head, oldest, items, next: null, prev: null };
    return { epoch, head, removals, json: historyAnswer(answer, { complete: !more }) };
  }

  /**
   * For a stream, which goes on from where the state was read: one read serves all who ask meanwhile, as after the
   * restart of a gateway. Takes its turn among replays. Of the channel's epoch, when this resolves.
   */
  async share(channel: BoardChannel, wanted: FilterSet, turn: ReplayTurn): Promise<BoardState> {
    const { epoch } = channel;
    const key = JSON.stringify([channel.board, epoch, channel.removals, wanted.key]);
    let reading = this.#underWay.get(key);
    if (reading === undefined) {
      reading = this.#gate.run(turn, () => this.read(channel, wanted)).finally(() => this.#underWay.delete(key));
      this.#underWay.set(key, reading);
    }
    const state = await reading;
    if (state.epoch === epoch) return state;
    // Chat is in an epoch that this pod has not heard of.
    await channel.whenLeft(epoch);
    return this.share(channel, wanted, turn);
  }
}
