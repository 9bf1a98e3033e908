import { problemSchema, type Problem } from '@boardwire/contracts';
import { AppError } from './app-error.ts';
import type { InternalResponse } from './internal-client.ts';
import { serviceTokenRealm } from './service-token-guard.ts';

/**
 * The AppError that a callee's refusal stands for: its own code when it gave one. A fault of the callee, and an
 * answer that is no problem document, are `upstream_unavailable`.
 */
export function refusalOf(service: string, response: InternalResponse, body: string): AppError | Error {
  if (response.headers['www-authenticate'] === serviceTokenRealm) {
    // The user is not to blame, and must not be told to sign in again.
    return new Error(`${service} refused our service token: ${body}`);
  }
  const problem = problemOf(body);
  if (problem === undefined || problem.code === 'internal') {
    return new AppError('upstream_unavailable', { detail: `${service} answered ${response.statusCode}` });
  }
  const { code, detail, retryAfterMs, errors } = problem;
  return new AppError(code, { detail, retryAfterMs, errors });
}

function problemOf(body: string): Problem | undefined {
  try {
    return problemSchema.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}
