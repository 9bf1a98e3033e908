import type { Decision, DecisionBatch } from '@boardwire/contracts';
import type { Database, Queryable } from '@boardwire/database';
import type { Gap } from '../log/entry.ts';

export interface InboxItem {
  position: number;
  service: string;
  number: number;
  decision: Decision;
  receivedMs: number;
}

interface Stream {
  received: number;
  gaps: (Gap & { id: number })[];
}

/**
 * Decisions that a service was told are safe and that wait for the sequencer. Every replica takes them in; the leader
 * moves them into the log. Numbers of one service are dense: a jump is a gap, and what fills a gap later closes it.
 */
export class DecisionInbox {
  #depth = 0;
  #onReceived: () => void = () => undefined;

  constructor(private readonly database: Database) {}

  /** Waiting decisions, as of the last look. */
  get depth(): number {
    return this.#depth;
  }

  onReceived(listener: () => void): void {
    this.#onReceived = listener;
  }

  /** Stores what is new and answers the highest number stored. */
  async receive({ service, decisions }: DecisionBatch): Promise<number> {
    const ordered = [...decisions].sort((left, right) => left.number - right.number);
    const received = await this.database.transaction(async (transaction) => {
      const stream = await lockStream(transaction, service);
      const fresh = ordered.filter(({ number }) => isMissing(stream, number));
      if (fresh.length === 0) return stream.received;
      await store(transaction, service, fresh);
      await closeGaps(transaction, stream, fresh);
      return advance(transaction, { service, from: stream.received, fresh });
    });
    this.#onReceived();
    return received;
  }

  /** The oldest that wait; they stay until the append that takes them in commits. */
  async next(limit: number): Promise<InboxItem[]> {
    const rows = await this.database.query<Omit<InboxItem, 'decision'> & { body: string }>(
      `SELECT position, service, number, body, (extract(epoch FROM received_at) * 1000)::float8 AS "receivedMs"
       FROM decision_inbox ORDER BY position LIMIT $1`,
      [limit],
    );
    this.#depth = rows.length;
    return rows.map(({ body, ...row }) => ({ ...row, decision: JSON.parse(body) as Decision }));
  }
}

/** Two requests of one service wait for each other: its numbers are judged one batch at a time. */
async function lockStream(transaction: Queryable, service: string): Promise<Stream> {
  await transaction.query('INSERT INTO decision_stream VALUES ($1, 0) ON CONFLICT DO NOTHING', [service]);
  const [row] = await transaction.query<{ received: number }>(
    'SELECT received FROM decision_stream WHERE service = $1 FOR UPDATE',
    [service],
  );
  const gaps = await transaction.query<Gap & { id: number }>(
    `SELECT id, kind, name, epoch, first, last FROM gap WHERE kind = 'decisions' AND name = $1`,
    [service],
  );
  return { received: row!.received, gaps };
}

function isMissing({ received, gaps }: Stream, number: number): boolean {
  return number > received || gaps.some(({ first, last }) => first <= number && number <= last);
}

async function store(transaction: Queryable, service: string, decisions: readonly Decision[]): Promise<void> {
  const rows = decisions.map((decision) => ({ number: decision.number, body: JSON.stringify(decision) }));
  await transaction.query(
    `INSERT INTO decision_inbox (service, number, body)
     SELECT $1, number, body FROM json_to_recordset($2::json) AS d (number bigint, body text) ORDER BY number
     ON CONFLICT DO NOTHING`,
    [service, JSON.stringify(rows)],
  );
}

/** What has arrived after all is cut out of its gap, which leaves none, one or two smaller ones. */
async function closeGaps(transaction: Queryable, stream: Stream, fresh: readonly Decision[]): Promise<void> {
  for (const gap of stream.gaps) {
    const filled = new Set(
      fresh.map(({ number }) => number).filter((number) => gap.first <= number && number <= gap.last),
    );
    if (filled.size === 0) continue;
    // oxlint-disable-next-line no-await-in-loop -- one connection; gaps are few
    await transaction.query('DELETE FROM gap WHERE id = $1', [gap.id]);
    for (const [first, last] of runsWithout(gap, filled)) {
      // oxlint-disable-next-line no-await-in-loop
      await addGap(transaction, gap.name, { first, last });
    }
  }
}

function runsWithout(
  { first, last }: { first: number; last: number },
  filled: ReadonlySet<number>,
): [number, number][] {
  const runs: [number, number][] = [];
  let start = first;
  for (const number of [...filled].sort((left, right) => left - right)) {
    if (number > start) runs.push([start, number - 1]);
    start = number + 1;
  }
  if (start <= last) runs.push([start, last]);
  return runs;
}

async function advance(
  transaction: Queryable,
  { service, from, fresh }: { service: string; from: number; fresh: readonly Decision[] },
): Promise<number> {
  let received = from;
  for (const { number } of fresh) {
    // oxlint-disable-next-line no-await-in-loop -- one connection; jumps are rare
    if (number > received + 1) await addGap(transaction, service, { first: received + 1, last: number - 1 });
    received = Math.max(received, number);
  }
  await transaction.query('UPDATE decision_stream SET received = $2 WHERE service = $1', [service, received]);
  return received;
}

async function addGap(transaction: Queryable, service: string, { first, last }: { first: number; last: number }) {
  await transaction.query(`INSERT INTO gap (kind, name, epoch, first, last) VALUES ('decisions', $1, '', $2, $3)`, [
    service,
    first,
    last,
  ]);
}
