import type { SeededRandom } from '@boardwire/test-kit';
import { decisionEntry } from '../src/decisions/decision-entry.ts';
import { ZoneDays } from '../src/log/zone-days.ts';
import { epoch, eventAt, type Life } from './log-fixture.ts';

export const subjects = [
  'AxonChat.lobby',
  'AxonChat.lobby.x',
  'room.a.decision',
  'room.b_c.chat',
  'room.%C3%A4',
  'room',
];
export const boards = ['events', 'forum', 'lounge'];
export const actors = ['ana', 'ben', 'Zoë', '%_\\', 'gateway'];
export const words = ['hello', 'ÄRGER', 'ärger', '50% off', 'a_b', 'back\\slash', 'say "hi"', 'Число', 'line\nbreak'];
export const symbols = ['BTC-USD', 'btc-eur', 'ETH_%', 'Ärger'];
export const traces = ['a1'.repeat(16), 'b2'.repeat(16)];
const startMs = Date.UTC(2026, 9, 30, 20);
const days = new ZoneDays();
const calendar = {
  zoneOf: (board: string | undefined) => (board === 'forum' ? 'Pacific/Auckland' : 'Europe/Berlin'),
  dayOf: (ms: number, zone: string) => days.dayOf(ms, zone),
};

/** Appends events of several boards and decisions of several services, in random order, over a few days. */
export class MixedLog {
  readonly #seqs = new Map<string, number>();
  #number = 0;

  constructor(
    private readonly life: Life,
    private readonly random: SeededRandom,
  ) {}

  async grow(entries: number): Promise<void> {
    for (let left = entries; left > 0;) {
      const count = Math.min(left, 1 + this.random.integer(0, 39));
      await (this.random.integer(0, 3 - 1) === 0 ? this.#decide(count) : this.#publish(count));
      left -= count;
    }
  }

  async #publish(count: number): Promise<void> {
    const board = this.random.pick(boards);
    const first = (this.#seqs.get(board) ?? 0) + 1;
    this.#seqs.set(board, first + count - 1);
    const events = Array.from({ length: count }, (_, at) => this.#event(board, first + at));
    await this.life.intake.onEvents(board, events);
  }

  #event(board: string, seq: number) {
    const subject = this.random.pick(subjects);
    const type = this.random.pick(['chat.message', 'scored', 'forum.post.added']);
    const stored = {
      id: `e${seq}`,
      source: '/s',
      type,
      subject,
      time: '2026-11-01T12:00:00Z',
      author: this.random.pick(actors),
      origin: this.random.pick(['bs1here', 'bs1there']),
      data: { text: this.random.pick(words) },
    };
    const body = this.random.integer(0, 20 - 1) === 0 ? Buffer.alloc(0) : Buffer.from(JSON.stringify(stored));
    const datahash = this.random
      .integer(0, 2 ** 30 - 1)
      .toString(16)
      .padStart(64, '0');
    const removed = body.length === 0 ? { removed: { id: stored.id, datahash } } : {};
    const committedMs = startMs + this.random.integer(0, 4 * 86_400_000 - 1);
    return eventAt(board, seq, { epoch, subject, type, bytes: body, committedMs, datahash, ...removed });
  }

  async #decide(count: number): Promise<void> {
    const decisions = Array.from({ length: count }, () => this.#decision());
    await this.life.inbox.receive({ service: 'gateway', decisions });
    await this.take();
  }

  /** Moves what waits in the inbox into the log. */
  async take(): Promise<void> {
    const items = await this.life.inbox.next(512);
    await this.life.sequencer.appendDecisions(items.map((item) => decisionEntry(item, calendar)));
  }

  #decision() {
    this.#number += 1;
    const isTrading = this.random.integer(0, 2 - 1) === 0;
    const detail = isTrading
      ? this.#trading()
      : { text: this.random.pick(words), peer: this.random.pick(['bs1here', 'bs1peer']) };
    return {
      number: this.#number,
      action: isTrading ? 'trading.decision' : this.random.pick(['login', 'board.create', 'publish']),
      outcome: this.random.pick(['allowed', 'refused', 'done', 'failed'] as const),
      actor: this.random.pick(actors),
      at: new Date(startMs + this.random.integer(0, 4 * 86_400_000 - 1)).toISOString(),
      ...(this.random.integer(0, 3 - 1) === 0 ? { board: this.random.pick(boards) } : {}),
      ...(this.random.integer(0, 3 - 1) === 0 ? { trace: this.random.pick(traces) } : {}),
      detail,
    };
  }

  #trading() {
    const level = this.random.pick(['OK', 'WARN', 'ERROR']);
    const readiness =
      this.random.integer(0, 2 - 1) === 0 ? { readiness: level } : { data_readiness: { level, reasons: [] } };
    return { ...readiness, symbol: this.random.pick(symbols), forced_hold: this.random.integer(0, 2 - 1) === 0 };
  }
}
