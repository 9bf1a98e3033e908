import type { Decision } from '@boardwire/contracts';
import type { Queryable } from '@boardwire/database';

/** A decision of the audit service itself: what it forgot, and why. */
export type OwnDecision = Pick<Decision, 'action'> & Partial<Pick<Decision, 'actor' | 'outcome' | 'board' | 'detail'>>;

const service = 'audit';

/** Puts a decision of our own into the inbox, in the transaction that carries it out. */
export async function addOwnDecision(transaction: Queryable, decision: OwnDecision): Promise<void> {
  const [row] = await transaction.query<{ number: number }>(
    `INSERT INTO decision_stream AS s (service, received) VALUES ($1, 1)
     ON CONFLICT (service) DO UPDATE SET received = s.received + 1 RETURNING received AS number`,
    [service],
  );
  const { number } = row!;
  const body = { number, actor: service, outcome: 'done', at: new Date().toISOString(), ...decision };
  await transaction.query('INSERT INTO decision_inbox (service, number, body) VALUES ($1, $2, $3)', [
    service,
    number,
    JSON.stringify(body),
  ]);
}
