import {
  readinessLevels,
  tradingDecisionAction,
  traceSchema,
  type AuditEntry,
  type ReadinessLevel,
} from '@boardwire/contracts';

/** What a decision's detail says that entries are found by. It goes when the detail goes. */
export interface DecisionFacts extends Pick<AuditEntry, 'readiness' | 'symbol' | 'forced_hold' | 'trace' | 'peer'> {
  /** The agent whose decision it is. */
  trader: string | null;
}

const charsMax = 256;

/** Undefined when there are none. */
export function decisionFacts(action: string, detail: Readonly<Record<string, unknown>>): DecisionFacts | undefined {
  const { symbol, forced_hold: forcedHold, trace, peer } = detail;
  const facts: DecisionFacts = {
    readiness: readinessOf(detail),
    symbol: textOr(symbol),
    forced_hold: typeof forcedHold === 'boolean' ? forcedHold : null,
    trace: traceSchema.safeParse(trace).data ?? null,
    peer: textOr(peer),
    trader: action === tradingDecisionAction ? textOr(detail['trader_id']) : null,
  };
  return Object.values(facts).some((value) => value !== null) ? facts : undefined;
}

function readinessOf({ readiness, data_readiness: reported }: Readonly<Record<string, unknown>>) {
  if (isLevel(readiness)) return readiness;
  if (typeof reported !== 'object' || reported === null || !('level' in reported)) return null;
  return isLevel(reported.level) ? reported.level : null;
}

function isLevel(value: unknown): value is ReadinessLevel {
  return readinessLevels.some((level) => level === value);
}

function textOr(value: unknown): string | null {
  return typeof value === 'string' && value !== ''
    ? value.slice(0, charsMax).toWellFormed().replaceAll('\u0000', '\ufffd')
    : null;
}
