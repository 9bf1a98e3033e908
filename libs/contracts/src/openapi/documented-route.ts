import type { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import type { AnswerName } from './answer-schemas.ts';
import type { RequestName } from './request-schemas.ts';

export const routeTags = {
  accounts: 'Accounts and sessions',
  boards: 'Boards',
  events: 'Publishing and reading events',
  realtime: 'Live delivery',
  audit: 'The audit log',
  federation: 'Boards shared with other sites',
  site: 'The site and its documents',
  axonchat: 'AxonChat, an older wire',
  tradingroom: 'The trading room, an older wire',
} as const;
export type RouteTag = keyof typeof routeTags;

export interface DocumentedParameter {
  name: string;
  in: 'query' | 'header';
  summary: string;
  schema: z.ZodType;
  /** May be given several times. */
  isList?: true;
  isRequired?: true;
  example: unknown;
}

export interface DocumentedAnswer {
  summary: string;
  /** By media type: a schema by name, or `text` for what is no JSON. Absent: no body. */
  content?: Readonly<Record<string, AnswerName | 'text'>>;
}

/** One public route, as documents and tests know it. */
export interface DocumentedRoute {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** With `{name}` for what varies. */
  path: string;
  /** Unique; what generated clients call it. */
  id: string;
  tag: RouteTag;
  summary: string;
  description?: string;
  /** Who may call it: anybody, whoever has a token, or a role. */
  access: 'public' | 'token' | 'admin' | 'auditor';
  parameters?: readonly DocumentedParameter[];
  /** By media type. */
  body?: Readonly<Record<string, RequestName | 'bytes'>>;
  isBodyOptional?: true;
  /** Every success, by status. */
  answers: Readonly<Record<number, DocumentedAnswer>>;
  /** What it refuses in particular; {@link refusedAnywhere} comes on top. */
  refusals: readonly ErrorCode[];
}

/** Any route may answer these, whatever it does. */
export const refusedAnywhere = [
  'malformed',
  'request_timeout',
  'uri_too_long',
  'expectation_failed',
  'headers_too_large',
  'internal',
  'overloaded',
  'starting',
  'draining',
  'upstream_unavailable',
  'database_unavailable',
  'deadline_exceeded',
] as const satisfies readonly ErrorCode[];

/** Whatever needs a token. */
export const refusedWithoutToken = [
  'token_missing',
  'token_invalid',
  'token_expired',
  'token_revoked',
] as const satisfies readonly ErrorCode[];

/** The codes that a route may answer beside {@link refusedAnywhere}. */
export function ownRefusalsOf({ access, body, refusals }: DocumentedRoute): ErrorCode[] {
  const codes = new Set<ErrorCode>([
    ...(access === 'public' ? [] : refusedWithoutToken),
    ...(access === 'admin' || access === 'auditor' ? (['forbidden'] as const) : []),
    ...(body === undefined ? [] : (['invalid', 'too_large', 'unsupported_media_type'] as const)),
    ...refusals,
  ]);
  return [...codes];
}
