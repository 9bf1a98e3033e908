import type { Decision } from '@boardwire/contracts';
import type { Database, Queryable } from '@boardwire/database';

export type NewDecision = Omit<Decision, 'number' | 'at'>;

interface OutboxRow {
  number: number;
  action: string;
  outcome: Decision['outcome'];
  actor: string;
  board: string | null;
  detail: Decision['detail'] | null;
  at: Date;
}

/** Decisions on their way to audit, numbered 1, 2, 3 … without a hole, in the order of their commits. */
export class DecisionOutbox {
  constructor(private readonly database: Database) {}

  /** As the last thing in the transaction that carries the decision out: the number is locked until it commits. */
  async add(transaction: Queryable, { action, outcome, actor, board, detail }: NewDecision): Promise<void> {
    await transaction.query(
      `INSERT INTO decision_outbox (number, action, outcome, actor, board, detail)
       VALUES (next_decision_number(), $1, $2, $3, $4, $5)`,
      [action, outcome, actor.slice(0, 256), board ?? null, detail === undefined ? null : JSON.stringify(detail)],
    );
  }

  async next(limit: number): Promise<Decision[]> {
    const rows = await this.database.query<OutboxRow>('SELECT * FROM decision_outbox ORDER BY number LIMIT $1', [
      limit,
    ]);
    return rows.map(({ board, detail, at, ...row }) => ({
      ...row,
      at: at.toISOString(),
      ...(board === null ? {} : { board }),
      ...(detail === null || detail === undefined ? {} : { detail }),
    }));
  }

  async removeThrough(number: number): Promise<void> {
    await this.database.query('DELETE FROM decision_outbox WHERE number <= $1', [number]);
  }
}
