import { HttpException } from '@nestjs/common';
import type { ErrorCode, FieldError } from '@boardwire/contracts';
import { ZodError } from 'zod';
import { AppError } from './app-error.ts';

const codeOfFastify: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'too_large',
  FST_ERR_MAX_PARAM_LENGTH: 'uri_too_long',
  FST_ERR_BAD_URL: 'malformed',
  FST_ERR_VALIDATION: 'invalid',
};

const codeOfStatus: Readonly<Record<number, ErrorCode>> = {
  400: 'malformed',
  401: 'token_invalid',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  406: 'not_acceptable',
  408: 'request_timeout',
  409: 'conflict',
  413: 'too_large',
  414: 'uri_too_long',
  415: 'unsupported_media_type',
  417: 'expectation_failed',
  426: 'upgrade_required',
  429: 'rate_limited',
  431: 'headers_too_large',
  501: 'not_implemented',
  503: 'overloaded',
  504: 'deadline_exceeded',
};

const fieldErrorsMax = 32;
const fieldTextMax = 200;

/**
 * Anything that can be thrown on the way of a request as an expected error, or undefined when it is a fault of ours.
 * Knows AppError, schema errors, Fastify's errors and Nest's HttpException.
 */
export function appErrorFrom(thrown: unknown): AppError | undefined {
  if (thrown instanceof AppError) return thrown;
  if (thrown instanceof ZodError) return invalid(thrown.issues, thrown);
  const inner = thrown instanceof HttpException ? thrown.cause : undefined;
  if (inner !== undefined && inner !== thrown) {
    const translated = appErrorFrom(inner);
    if (translated !== undefined) return translated;
  }
  const code = codeOf(thrown);
  if (code === undefined || code === 'internal') return undefined;
  return new AppError(code, { detail: clip(messageOf(thrown)), cause: thrown });
}

export interface SchemaIssue {
  readonly message: string;
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined;
}

/** What a schema refused (zod or any other Standard Schema), as `invalid` with the fields' errors. */
export function invalid(issues: readonly SchemaIssue[], cause?: unknown): AppError {
  const errors = issues.slice(0, fieldErrorsMax).map(({ path = [], message }): FieldError => ({
    path: clip(path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')),
    message: clip(message),
  }));
  return new AppError('invalid', { errors, cause });
}

function codeOf(thrown: unknown): ErrorCode | undefined {
  if (thrown instanceof HttpException) return codeForStatus(thrown.getStatus());
  if (!(thrown instanceof Error)) return undefined;
  const { code, statusCode } = thrown as Error & { code?: unknown; statusCode?: unknown };
  if (typeof code === 'string' && Object.hasOwn(codeOfFastify, code)) return codeOfFastify[code];
  return typeof statusCode === 'number' ? codeForStatus(statusCode) : undefined;
}

function codeForStatus(status: number): ErrorCode | undefined {
  return codeOfStatus[status] ?? (status >= 400 && status < 500 ? 'malformed' : undefined);
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : '';
}

function clip(text: string): string {
  const shown = text.toWellFormed();
  return shown.length <= fieldTextMax ? shown : `${shown.slice(0, fieldTextMax)}…`.toWellFormed();
}
