import { z } from 'zod';
import { daySchema, readinessLevels } from './audit-entry.ts';

/** The action under which an agent's decisions stand in the log. */
export const tradingDecisionAction = 'trading.decision';

/**
 * One decision of an agent in the trading room's own shape: what the agent's runner reported, and what the log adds.
 * Fields that it doesn't know pass through.
 */
export const decisionAuditRecordSchema = z.looseObject({
  trader_id: z.string(),
  /** The day of the decision in the market's zone. */
  day_key: daySchema,
  saved_ts_ms: z.number().int(),
  timestamp: z.string(),
  cycle_number: z.number().int().nullable(),
  symbol: z.string().nullable(),
  action: z.string().nullable(),
  decision_source: z.string().nullable(),
  forced_hold: z.boolean().nullable(),
  order_executed: z.boolean().nullable(),
  data_readiness: z.looseObject({ level: z.enum(readinessLevels), reasons: z.array(z.string()) }).nullable(),
  /** Its place in the audit log. */
  audit_seq: z.number().int(),
});
export type DecisionAuditRecord = z.infer<typeof decisionAuditRecordSchema>;

/** `GET /api/agents/{id}/decision-audit/latest`, newest first. */
export const decisionAuditLatestSchema = z.object({
  success: z.literal(true),
  data: z.object({ trader_id: z.string(), count: z.number().int(), records: z.array(decisionAuditRecordSchema) }),
});
/** `GET /api/agents/{id}/decision-audit/day?day_key=`, in the order of the day. */
export const decisionAuditDaySchema = z.object({
  success: z.literal(true),
  data: z.object({
    trader_id: z.string(),
    day_key: daySchema,
    count: z.number().int(),
    records: z.array(decisionAuditRecordSchema),
  }),
});
/** Every refusal of the trading room's routes. */
export const tradingRefusalSchema = z.object({ success: z.literal(false), error: z.string() });
