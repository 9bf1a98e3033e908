import { z } from 'zod';

/**
 * Every refusal Boardwire can give, by code. The code is the contract; title and status follow from it.
 * `retry` says whether repeating the same request later can succeed.
 */
export const errorTable = {
  malformed: { status: 400, title: 'The request could not be read', retry: false },
  invalid: { status: 400, title: 'The request does not fit its contract', retry: false },
  invalid_subject: { status: 400, title: 'Not a valid subject', retry: false },
  invalid_filter: { status: 400, title: 'Not a valid subject filter', retry: false },
  invalid_cursor: { status: 400, title: 'Not a valid cursor', retry: false },
  invalid_event: { status: 400, title: 'Not a valid event', retry: false },
  invalid_day: { status: 400, title: 'Not a calendar day', retry: false },
  invalid_source: { status: 400, title: 'The source is not the publisher’s own', retry: false },
  token_missing: { status: 401, title: 'A token is needed', retry: false },
  token_invalid: { status: 401, title: 'The token is not valid', retry: false },
  token_expired: { status: 401, title: 'The token has expired', retry: false },
  token_revoked: { status: 401, title: 'The session has ended', retry: false },
  ticket_refused: { status: 401, title: 'The ticket is not valid any more', retry: false },
  credentials_refused: { status: 401, title: 'Name or password is wrong', retry: false },
  forbidden: { status: 403, title: 'Not allowed', retry: false },
  guests_off: { status: 403, title: 'This site takes no guests', retry: false },
  not_found: { status: 404, title: 'There is nothing here', retry: false },
  board_unknown: { status: 404, title: 'No such board', retry: false },
  method_not_allowed: { status: 405, title: 'The route does not take this method', retry: false },
  not_acceptable: { status: 406, title: 'No representation in the media types asked for', retry: false },
  request_timeout: { status: 408, title: 'The request took too long to arrive', retry: true },
  conflict: { status: 409, title: 'It conflicts with what is stored', retry: false },
  event_conflict: { status: 409, title: 'The same source and id were used with other content', retry: false },
  name_taken: { status: 409, title: 'The name is taken', retry: false },
  board_exists: { status: 409, title: 'A board with this slug exists', retry: false },
  too_large: { status: 413, title: 'Too large', retry: false },
  uri_too_long: { status: 414, title: 'The address is too long', retry: false },
  unsupported_media_type: { status: 415, title: 'The media type is not supported', retry: false },
  expectation_failed: { status: 417, title: 'The expectation cannot be met', retry: false },
  upgrade_required: { status: 426, title: 'This route speaks WebSocket', retry: false },
  rate_limited: { status: 429, title: 'Too many requests', retry: true },
  headers_too_large: { status: 431, title: 'The request headers are too large', retry: false },
  internal: { status: 500, title: 'Something failed on our side', retry: true },
  not_implemented: { status: 501, title: 'Not implemented', retry: false },
  upstream_unavailable: { status: 503, title: 'A service needed for this is unavailable', retry: true },
  database_unavailable: { status: 503, title: 'The database is unavailable', retry: true },
  overloaded: { status: 503, title: 'Too much is waiting', retry: true },
  draining: { status: 503, title: 'The service is stopping', retry: true },
  starting: { status: 503, title: 'The service is starting', retry: true },
  deadline_exceeded: { status: 504, title: 'It took longer than the caller would wait', retry: true },
} as const satisfies Record<string, { status: number; title: string; retry: boolean }>;

export type ErrorCode = keyof typeof errorTable;

export const errorCodes = Object.keys(errorTable) as ErrorCode[];

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(errorTable, value);
}

export const fieldErrorSchema = z.object({ path: z.string(), message: z.string() });
export type FieldError = z.infer<typeof fieldErrorSchema>;

/** RFC 9457 problem details, as every Boardwire route answers a refusal. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.enum(errorCodes as [ErrorCode, ...ErrorCode[]]),
  detail: z.string().optional(),
  /** Milliseconds after which a repeat makes sense; HTTP also carries `Retry-After` in whole seconds. */
  retryAfterMs: z.number().int().nonnegative().optional(),
  errors: z.array(fieldErrorSchema).optional(),
  /** The event's id that was used, so that a repeat with it is the same event. */
  id: z.string().optional(),
});
export type Problem = z.infer<typeof problemSchema>;

export const problemMediaType = 'application/problem+json';

export interface ProblemDetails {
  detail?: string | undefined;
  retryAfterMs?: number | undefined;
  errors?: readonly FieldError[] | undefined;
  id?: string | undefined;
}

/** Builds the problem document of a code; `type` is a stable URN so that it never has to resolve. */
export function problem(code: ErrorCode, details: ProblemDetails = {}): Problem {
  const { status, title } = errorTable[code];
  return {
    type: `urn:boardwire:problem:${code}`,
    title,
    status,
    code,
    ...(details.detail === undefined ? {} : { detail: details.detail }),
    ...(details.retryAfterMs === undefined ? {} : { retryAfterMs: Math.max(0, Math.round(details.retryAfterMs)) }),
    ...(details.errors === undefined || details.errors.length === 0 ? {} : { errors: [...details.errors] }),
    ...(details.id === undefined ? {} : { id: details.id }),
  };
}
