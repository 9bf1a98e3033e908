import type { FederationErrorCode } from '@boardwire/contracts';

/** What a peer said instead of what it was asked for, or did instead of answering. */
export type LinkFault = FederationErrorCode | 'bad_answer' | 'silent' | 'ended';

/** A peer that was reached and did not do its part. Connections that fail are a `DialError`. */
export class LinkError extends Error {
  override readonly name = 'LinkError';
  readonly fault: LinkFault;
  /** How long it asks to be left alone; bounded. */
  readonly retryAfterMs: number | undefined;

  constructor(fault: LinkFault, detail: string, retryAfterMs?: number) {
    super(`${fault}: ${detail}`);
    this.fault = fault;
    this.retryAfterMs = retryAfterMs;
  }
}

/** However long a peer asks for: nobody parks us for ever. */
const retryAfterMsMax = 3_600_000;

export function boundedRetryMs(ms: number | undefined): number | undefined {
  return ms === undefined || Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), retryAfterMsMax);
}

/** `Retry-After` in seconds; a date is no form that sites use with each other. */
export function retryAfterMsOf(header: string | string[] | undefined): number | undefined {
  return typeof header === 'string' && /^\d+$/.test(header) ? boundedRetryMs(Number(header) * 1_000) : undefined;
}
