import type { Decision } from '@boardwire/contracts';
import type { Database, Queryable } from './database.ts';
import { sqlMigration, type Migration } from './sql-migration.ts';

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

/**
 * Decisions of a service on their way to audit, numbered 1, 2, 3 … without a hole, in the order of their commits. Its
 * tables are the service's own, see {@link decisionOutboxMigration}.
 */
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

/** The outbox of a service that has none yet. @param name with a timestamp, see {@link sqlMigration} */
export function decisionOutboxMigration(name: string): Migration {
  return sqlMigration(
    name,
    `CREATE TABLE decision_number (last bigint NOT NULL);
     INSERT INTO decision_number VALUES (0);
     CREATE TABLE decision_outbox (
       number  bigint PRIMARY KEY,
       action  text NOT NULL,
       outcome text NOT NULL,
       actor   text NOT NULL,
       board   text,
       detail  jsonb,
       at      timestamptz NOT NULL DEFAULT clock_timestamp()
     );
     -- Dense: the row lock is held until the caller commits, and a rollback gives its number back.
     CREATE FUNCTION next_decision_number() RETURNS bigint LANGUAGE sql VOLATILE AS $$
       UPDATE decision_number SET last = last + 1 RETURNING last
     $$;`,
  );
}
