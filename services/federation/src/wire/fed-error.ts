import { federationErrorTable, type FederationErrorCode, type FederationProblem } from '@boardwire/contracts';
import { isConnectionError } from '@boardwire/database';
import { AppError } from '@boardwire/service-kit';
import { DialError } from '../dialing/dial-error.ts';
import { HopError } from '../hop/hop-profile.ts';
import { StrictJsonError } from '../hop/strict-json.ts';

export interface FedErrorOptions {
  detail?: string;
  retryAfterMs?: number;
  cause?: unknown;
}

/** A refusal of BF/1. */
export class FedError extends Error {
  override readonly name = 'FedError';
  readonly code: FederationErrorCode;
  readonly detail: string | undefined;
  /** 429 and 503 always have one. */
  readonly retryAfterMs: number | undefined;

  constructor(code: FederationErrorCode, { detail, retryAfterMs, cause }: FedErrorOptions = {}) {
    super(detail === undefined ? code : `${code}: ${detail}`, { cause });
    this.code = code;
    this.detail = detail;
    this.retryAfterMs = retryAfterMs ?? ([429, 503].includes(federationErrorTable[code].status) ? 1_000 : undefined);
  }

  get status(): number {
    return federationErrorTable[this.code].status;
  }

  toProblem(): FederationProblem {
    const { code, status, detail } = this;
    return detail === undefined ? { code, status } : { code, status, detail };
  }
}

/** What was thrown as a refusal; undefined for a fault of ours. */
export function fedErrorFrom(thrown: unknown): FedError | undefined {
  if (thrown instanceof FedError) return thrown;
  if (thrown instanceof HopError) return new FedError(thrown.failure, { detail: thrown.message });
  if (thrown instanceof StrictJsonError) return new FedError('malformed', { detail: thrown.message });
  if (thrown instanceof DialError) return ofBody(thrown);
  if (thrown instanceof AppError) return ofService(thrown);
  if (isConnectionError(thrown)) return new FedError('unavailable', { cause: thrown });
  return undefined;
}

/** Bodies that come in are inflated by the same code as answers. */
function ofBody({ failure, message }: DialError): FedError {
  const isTooMuch = failure === 'too_large' || failure === 'inflated';
  return new FedError(isTooMuch ? 'too_large' : 'malformed', { detail: message });
}

function ofService(error: AppError): FedError | undefined {
  if (error.code === 'not_found') return new FedError('room_unknown');
  if (error.code === 'forbidden' || error.code === 'conflict') {
    return new FedError('direction_denied', error.detail === undefined ? {} : { detail: error.detail });
  }
  if (error.code === 'too_large') return new FedError('too_large');
  return error.status === 503 ? new FedError('unavailable', { cause: error }) : undefined;
}
