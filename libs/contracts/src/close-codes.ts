/** What a client does after a close is decided by the code alone. */
export type CloseAdvice = 'stop' | 'return' | 'return_later' | 'new_token';

/** WebSocket close codes (RFC 6455, 7.4; 4000–4999 are private use). */
export const closeCodes = {
  normal: { code: 1000, advice: 'stop', meaning: 'closed by either side on purpose' },
  going_away: { code: 1001, advice: 'return', meaning: 'the server is stopping' },
  too_big: { code: 1009, advice: 'stop', meaning: 'a frame was larger than allowed' },
  restart: { code: 1012, advice: 'return', meaning: 'drain; return after the jitter given' },
  no_pong: { code: 4000, advice: 'return', meaning: 'pings were not answered' },
  unauthenticated: { code: 4001, advice: 'new_token', meaning: 'token missing, bad, expired or revoked' },
  forbidden: { code: 4003, advice: 'stop', meaning: 'not allowed' },
  too_slow: { code: 4008, advice: 'return', meaning: 'the outbox overflowed; return with the cursor' },
  rate_limited: { code: 4009, advice: 'return_later', meaning: 'too many frames or connections' },
  protocol_error: { code: 4010, advice: 'stop', meaning: 'a frame did not follow the protocol' },
} as const satisfies Record<string, { code: number; advice: CloseAdvice; meaning: string }>;

export type CloseName = keyof typeof closeCodes;

/** Advice for any code, also those browsers make up (1005, 1006): unknown ends are worth a return. */
export function closeAdvice(code: number): CloseAdvice {
  return Object.values(closeCodes).find((entry) => entry.code === code)?.advice ?? 'return';
}
