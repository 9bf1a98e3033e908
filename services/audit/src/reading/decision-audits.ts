import { readinessLevels, type AuditEntry, type DecisionAuditRecord, type ReadinessLevel } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import { entryRows, lineOf, rowColumns, type EntryRow } from './entry-line.ts';
import { daysIn, readExtent } from './log-extent.ts';

type Fields = Readonly<Record<string, unknown>>;

/** An agent's decisions in the trading room's own shape. */
export class DecisionAudits {
  constructor(private readonly database: Database) {}

  /** Whether the log holds any decision of an agent. */
  async knows(trader: string): Promise<boolean> {
    const rows = await this.database.query('SELECT FROM detail WHERE trader = $1 LIMIT 1', [trader]);
    return rows.length > 0;
  }

  /** Newest first. */
  async latest(trader: string, limit: number): Promise<DecisionAuditRecord[]> {
    const found = await this.database.query<{ seq: number }>(
      'SELECT seq FROM detail WHERE trader = $1 ORDER BY seq DESC LIMIT $2',
      [trader, limit],
    );
    const seqs = found.map(({ seq }) => seq);
    if (seqs.length === 0) return [];
    const days = daysIn(await readExtent(this.database), { low: seqs.at(-1)!, high: seqs[0]! + 1 });
    return this.#records(`e.day = ANY ($1::date[]) AND e.seq = ANY ($2::bigint[])`, 'DESC', [days, seqs]);
  }

  /** The first `limit` of a day, in the order in which they were reported. */
  day(trader: string, day: string, limit: number): Promise<DecisionAuditRecord[]> {
    const condition = `e.day = $1::date AND d.trader = $2
      AND d.seq BETWEEN (SELECT first_seq FROM day_count WHERE day = $1::date)
        AND (SELECT last_seq FROM day_count WHERE day = $1::date)`;
    return this.#records(`${condition} ORDER BY e.seq LIMIT $3`, 'ASC', [day, trader, limit]);
  }

  async #records(condition: string, order: 'ASC' | 'DESC', values: readonly unknown[]): Promise<DecisionAuditRecord[]> {
    const rows = await this.database.query<EntryRow>(
      `${entryRows(`(
         SELECT ${rowColumns} FROM entry e JOIN detail d ON d.seq = e.seq WHERE ${condition}
       )`)} ORDER BY r.seq ${order}`,
      values,
    );
    return rows.map((row) => recordOf(JSON.parse(lineOf(row)) as AuditEntry));
  }
}

/** What the agent's runner reported, with what the log knows better. */
function recordOf(entry: AuditEntry): DecisionAuditRecord {
  const { data } = entry.detail as { data: Fields };
  return {
    ...data,
    trader_id: data['trader_id'] as string,
    day_key: entry.day,
    saved_ts_ms: Date.parse(entry.time),
    timestamp: textOf(data['timestamp']) ?? entry.time,
    cycle_number: Number.isSafeInteger(data['cycle_number']) ? (data['cycle_number'] as number) : null,
    symbol: textOf(data['symbol']),
    action: textOf(data['action']),
    decision_source: textOf(data['decision_source']),
    forced_hold: flagOf(data['forced_hold']),
    order_executed: flagOf(data['order_executed']),
    data_readiness: readinessOf(data['data_readiness'], entry.readiness),
    audit_seq: entry.seq,
  };
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : null);
const flagOf = (value: unknown) => (typeof value === 'boolean' ? value : null);

function readinessOf(reported: unknown, level: ReadinessLevel | null): DecisionAuditRecord['data_readiness'] {
  const fields = typeof reported === 'object' && reported !== null ? (reported as Fields) : {};
  const known = readinessLevels.find((one) => one === fields['level']) ?? level;
  if (known === null) return null;
  const reasons = Array.isArray(fields['reasons']) ? fields['reasons'] : [];
  return { ...fields, level: known, reasons: reasons.filter((reason) => typeof reason === 'string') };
}
