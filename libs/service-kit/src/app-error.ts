import { errorTable, problem, type ErrorCode, type FieldError, type Problem } from '@boardwire/contracts';

export interface AppErrorOptions {
  /** One sentence for the caller; never a secret, never an internal address. */
  detail?: string | undefined;
  cause?: unknown;
  /** When a repeat makes sense; codes of status 429 and 503 have a second by default. */
  retryAfterMs?: number | undefined;
  errors?: readonly FieldError[] | undefined;
  /** The id of the event that was refused, so that a repeat can be the same event. */
  id?: string | undefined;
}

const defaultRetryAfterMs = 1_000;

/** An expected refusal, with a code of the contracts' error table. Anything else that is thrown is a fault of ours. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly errors: readonly FieldError[] | undefined;
  readonly id: string | undefined;

  constructor(code: ErrorCode, options: AppErrorOptions = {}) {
    const message = options.detail === undefined ? code : `${code}: ${options.detail}`;
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.detail = options.detail;
    this.retryAfterMs = options.retryAfterMs ?? (mayRetryLater(code) ? defaultRetryAfterMs : undefined);
    this.errors = options.errors;
    this.id = options.id;
  }

  get status(): number {
    return errorTable[this.code].status;
  }

  toProblem(): Problem {
    const { detail, retryAfterMs, errors, id } = this;
    return problem(this.code, { detail, retryAfterMs, errors, id });
  }
}

function mayRetryLater(code: ErrorCode): boolean {
  return errorTable[code].status === 503 || errorTable[code].status === 429;
}
