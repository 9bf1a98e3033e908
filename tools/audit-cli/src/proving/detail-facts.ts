const charsMax = 256;
const levels = ['OK', 'WARN', 'ERROR'];

/** The fields that an answer takes from a decision's detail, so that it can be found by them. */
export const detailFields = ['readiness', 'symbol', 'forced_hold', 'trace', 'peer'] as const;
type DetailFacts = Record<(typeof detailFields)[number], string | boolean | null>;

/** What these fields must say when the detail is held. */
export function factsOfDetail(data: unknown): DetailFacts {
  const detail = objectOr(data);
  const { symbol, forced_hold: forcedHold, trace, peer } = detail;
  return {
    readiness: levelOr(detail['readiness']) ?? levelOr(objectOr(detail['data_readiness'])['level']) ?? null,
    symbol: textOr(symbol),
    forced_hold: typeof forcedHold === 'boolean' ? forcedHold : null,
    trace: typeof trace === 'string' && /^[0-9a-f]{32}$/.test(trace) ? trace : null,
    peer: textOr(peer),
  };
}

function objectOr(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function levelOr(value: unknown): string | undefined {
  return typeof value === 'string' && levels.includes(value) ? value : undefined;
}

function textOr(value: unknown): string | null {
  return typeof value === 'string' && value !== ''
    ? value.slice(0, charsMax).toWellFormed().replaceAll('\u0000', '\ufffd')
    : null;
}
