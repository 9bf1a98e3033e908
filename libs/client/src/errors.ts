import { errorTable, isErrorCode, problemSchema, type ErrorCode, type FieldError } from '@boardwire/contracts';

/** Codes of the server's error table, and those that arise on this side of the wire. */
export type ClientErrorCode =
  | ErrorCode
  | 'network'
  | 'bad_answer'
  | 'signed_out'
  | 'outbox_full'
  | 'gave_up'
  | 'closed'
  | 'socket_closed';

export interface BoardwireErrorDetails {
  status?: number | undefined;
  detail?: string | undefined;
  /** Milliseconds after which the server wants to see a repeat. */
  retryAfterMs?: number | undefined;
  errors?: readonly FieldError[] | undefined;
  cause?: unknown;
}

/** The one class of failure of this SDK: a refusal by the server, or a failure to reach it. */
export class BoardwireError extends Error {
  override readonly name = 'BoardwireError';
  readonly code: ClientErrorCode;
  /** What the code means, in a sentence; the message adds the particulars. */
  readonly title: string;
  /** HTTP status, absent when no answer came. */
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  /** Which fields of the request were refused. */
  readonly errors: readonly FieldError[];

  constructor(code: ClientErrorCode, details: BoardwireErrorDetails = {}) {
    const title = isErrorCode(code) ? errorTable[code].title : localTitles[code];
    const message = details.detail === undefined ? title : `${title}: ${details.detail}`;
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.title = title;
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
    this.errors = details.errors ?? [];
  }

  /** Whether the same request can succeed later. */
  get isRetryable(): boolean {
    return this.code === 'network' || (isErrorCode(this.code) && errorTable[this.code].retry);
  }
}

const localTitles: Record<Exclude<ClientErrorCode, ErrorCode>, string> = {
  network: 'The site could not be reached',
  bad_answer: 'The site gave an answer that does not fit its contract',
  signed_out: 'Nobody is signed in',
  outbox_full: 'Too many events wait to be sent',
  gave_up: 'It could not be sent in time',
  closed: 'The client was closed',
  socket_closed: 'The connection was closed for good',
};

/** Turns a refused answer into an error. Proxies answer without problem details; the status decides then. */
export async function errorOfResponse(response: Response): Promise<BoardwireError> {
  const body: unknown = await response.json().catch(() => undefined);
  const problem = problemSchema.safeParse(body);
  const retryAfterMs = retryAfterOf(response.headers.get('retry-after'));
  if (!problem.success) {
    return new BoardwireError(codeOfStatus(response.status), { status: response.status, retryAfterMs });
  }
  const { code, detail, errors } = problem.data;
  return new BoardwireError(code, {
    status: response.status,
    detail,
    errors,
    retryAfterMs: problem.data.retryAfterMs ?? retryAfterMs,
  });
}

/** Any thrown value as an error of this SDK; what `fetch` throws means that no answer came. */
export function asBoardwireError(error: unknown): BoardwireError {
  return error instanceof BoardwireError ? error : new BoardwireError('network', { cause: error });
}

function codeOfStatus(status: number): ClientErrorCode {
  if (status === 401) return 'token_invalid';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'not_found';
  if (status === 429) return 'rate_limited';
  if (status === 502 || status === 503 || status === 504) return 'upstream_unavailable';
  return status >= 500 ? 'internal' : 'bad_answer';
}

/** `Retry-After` in whole seconds; the date form is not used by the gateway and proxies' dates are not worth a guess. */
function retryAfterOf(header: string | null): number | undefined {
  return header !== null && /^[0-9]{1,6}$/.test(header) ? Number(header) * 1000 : undefined;
}
