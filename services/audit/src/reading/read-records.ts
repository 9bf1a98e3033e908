import { randomBytes } from 'node:crypto';
import type { Decision, ForwardedIdentity } from '@boardwire/contracts';
import { isConnectionError } from '@boardwire/database';
import type { Logger, Loop } from '@boardwire/service-kit';
import type { DecisionInbox } from '../decisions/decision-inbox.ts';
import type { ReadingMetrics } from './reading-metrics.ts';

export type ReadAction = 'audit.read' | 'audit.export' | 'audit.disclose' | 'audit.tail';
type Reader = Pick<ForwardedIdentity, 'userId' | 'name'>;

interface Tally {
  action: ReadAction;
  outcome: 'done' | 'refused';
  reader: Reader;
  sinceMs: number;
  count: number;
  rows: number;
  requests: string[];
}

const everyMs = 1_000;
const requestsListed = 20;
const requestCharsMax = 1_024;
const talliesMax = 1_000;
const batchMax = 512;
/** With so many unstored, what is read is only counted further. */
const waitingMax = 5_000;
const others: Reader = { userId: 'others', name: 'others' };

/**
 * Who read what of the log goes into the log: one record for a request, one for all of a reader's within a second. They
 * come in as the decisions of any service do, numbered densely for this life of the process, so that one that is lost
 * shows as a gap. Reading these records is a request like any other: it adds one, however many it answers.
 */
export class ReadRecords {
  readonly #stream = `audit-${randomBytes(6).toString('hex')}`;
  readonly #tallies = new Map<string, Tally>();
  #waiting: Decision[] = [];
  #next = 1;
  #flushing: Promise<void> = Promise.resolve();

  constructor(
    private readonly inbox: DecisionInbox,
    private readonly metrics: ReadingMetrics,
    private readonly logger: Logger,
  ) {}

  /** Something was read or refused; recorded within the second. */
  note(reader: Reader, action: ReadAction, { url, rows = 0, outcome = 'done' }: ReadFacts): void {
    this.metrics.read(action, outcome, rows);
    const keyOf = (who: Reader) => JSON.stringify([action, outcome, who.userId]);
    // So many readers within a second: the rest stand together.
    const who = this.#tallies.has(keyOf(reader)) || this.#tallies.size < talliesMax ? reader : others;
    let tally = this.#tallies.get(keyOf(who));
    if (tally === undefined) {
      tally = { action, outcome, reader: who, sinceMs: Date.now(), count: 0, rows: 0, requests: [] };
      this.#tallies.set(keyOf(who), tally);
    }
    tally.count += 1;
    tally.rows += rows;
    if (tally.requests.length < requestsListed) tally.requests.push(queryOf(url));
  }

  /** Resolves when the record is safe: for what must not leave before. */
  async record(reader: Reader, action: ReadAction, url: string): Promise<void> {
    this.note(reader, action, { url });
    await this.flush();
  }

  async run(loop: Loop): Promise<void> {
    while (!loop.signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- once a period
      await loop.idle(everyMs);
      loop.beat();
      // oxlint-disable-next-line no-await-in-loop
      await this.flush().catch((error: unknown) => {
        if (!isConnectionError(error)) throw error;
        this.logger.warn({ event: 'audit.reads_waiting', waiting: this.#waiting.length });
      });
    }
  }

  /** What could not be stored waits for the next time, under the numbers it has. */
  flush(): Promise<void> {
    const flushing = this.#flushing.catch(() => undefined).then(() => this.#flush());
    this.#flushing = flushing;
    return flushing;
  }

  async #flush(): Promise<void> {
    if (this.#waiting.length < waitingMax) {
      for (const tally of this.#tallies.values()) this.#waiting.push(this.#decisionOf(tally));
      this.#tallies.clear();
    }
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, batchMax);
      // oxlint-disable-next-line no-await-in-loop -- in the order of their numbers
      await this.inbox.receive({ service: this.#stream, decisions: batch });
      this.#waiting = this.#waiting.slice(batch.length);
    }
  }

  #decisionOf({ action, outcome, reader, sinceMs, count, rows, requests }: Tally): Decision {
    const detail = { name: reader.name, count, rows, requests };
    const at = new Date(sinceMs).toISOString();
    return { number: this.#next++, action, outcome, actor: reader.userId, at, detail };
  }
}

interface ReadFacts {
  /** Path and query of the request. */
  url: string;
  rows?: number;
  outcome?: 'done' | 'refused';
}

/** What was asked for, below the audit's own path. */
function queryOf(url: string): string {
  return url.replace('/internal/v1/', '').slice(0, requestCharsMax).toWellFormed();
}
