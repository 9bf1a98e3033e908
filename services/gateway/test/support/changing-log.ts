import type { SubjectRule } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import type { SeededRandom } from '@boardwire/test-kit';
import type { BoardLog } from '../../src/delivery/board-log.ts';
import type { LogEvent } from '../../src/delivery/board-ring.ts';
import type { FilterSet } from '../../src/delivery/filter-set.ts';
import { turn } from './memory-board.ts';

/** The rules of the board: `secret` is for its members. */
export const memberRules: SubjectRule[] = [{ pattern: 'secret.>', class: 'log', access: 'members' }];
export const isOpen = (subject: string) => !subject.startsWith('secret.');

interface Range {
  wanted: FilterSet;
  after: number;
  upTo: number;
}

/**
 * The log of one board over its epochs, as chat answers it: late, in pages of any size, sometimes not at all, and
 * always in the epoch that holds now, whatever its asker believes.
 */
export class ChangingLog implements BoardLog {
  readonly epochs = new Map<string, LogEvent[]>([['epoch001', []]]);
  epoch = 'epoch001';
  readonly #oldest = new Map<string, number>();
  pageMax = 20;
  /** Of so many answers one fails; 0 for none. */
  failsOneOf = 0;
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  get events(): LogEvent[] {
    return this.epochs.get(this.epoch)!;
  }

  /** The first seq that is still kept. */
  get oldest(): number {
    return this.oldestOf(this.epoch);
  }

  oldestOf(epoch: string): number {
    return this.#oldest.get(epoch) ?? 1;
  }

  get last(): number {
    return this.events.length;
  }

  add(subject: string, type: string, padding: number): void {
    const seq = this.last + 1;
    // The id tells the epoch, so that an event under another epoch's cursor can't pass.
    const id = `${this.epoch}/${seq}`;
    const bytes = Buffer.from(JSON.stringify({ id, type, subject, data: 'x'.repeat(padding) }));
    this.events.push({
      seq,
      subject,
      type,
      isState: subject.startsWith('state.'),
      bytes,
      committedMs: Date.now(),
      removed: false,
    });
  }

  /** A backup was put back: the newest events are gone, what follows takes their numbers. */
  startEpoch(kept: number): void {
    const name = `epoch${String(this.epochs.size + 1).padStart(3, '0')}`;
    const old = this.events.slice(0, kept);
    this.epoch = name;
    this.epochs.set(name, []);
    for (const { subject, type } of old) this.add(subject, type, 0);
  }

  /** The oldest events have outlived their time. */
  prune(count: number): void {
    this.#oldest.set(this.epoch, Math.min(this.last + 1, this.oldest + count));
  }

  async head(): Promise<{ epoch: string; head: number }> {
    await this.#answered();
    return { epoch: this.epoch, head: this.last };
  }

  async after(_board: string, query: Range) {
    await this.#answered();
    const all = this.#between(query);
    const events = all.slice(0, this.pageMax);
    return {
      epoch: this.epoch,
      oldest: this.oldest,
      events,
      to: all.length > events.length ? events.at(-1)!.seq : query.upTo,
    };
  }

  async count(_board: string, query: Range & { max: number }) {
    await this.#answered();
    return { epoch: this.epoch, count: Math.min(query.max, this.#between(query).length) };
  }

  async newest(_board: string, query: { wanted: FilterSet; upTo: number; count: number }) {
    await this.#answered();
    return { epoch: this.epoch, events: this.#between({ ...query, after: 0 }).slice(-query.count) };
  }

  async range(_board: string, { from, to }: { from: number; to: number }) {
    await this.#answered();
    const kept = Math.max(from, this.oldest);
    return { epoch: this.epoch, events: this.events.slice(kept - 1, Math.min(to, kept - 1 + this.pageMax)) };
  }

  async #answered(): Promise<void> {
    for (let turns = this.#random.integer(1, 4); turns > 0; turns -= 1) {
      // oxlint-disable-next-line no-await-in-loop -- the wire takes its time
      await turn();
    }
    if (this.failsOneOf > 0 && this.#random.integer(1, this.failsOneOf) === 1) {
      throw new AppError('upstream_unavailable');
    }
  }

  #between({ wanted, after, upTo }: Range): LogEvent[] {
    return this.events
      .slice(Math.max(after, this.oldest - 1), Math.max(after, upTo))
      .filter((event) => wanted.matches(event.subject, event.type, isOpen(event.subject)));
  }
}
