import type { Given } from '../command.ts';
import type { Finding } from '../report.ts';

/** Looks at one thing and tells what it finds. What it throws becomes a finding of its own. */
export type Check = (given: Given) => Promise<Finding[]>;

export const ok = (check: string, says: string): Finding => ({ check, verdict: 'ok', says });
export const unknown = (check: string, says: string): Finding => ({ check, verdict: 'unknown', says });
export const finding = (check: string, says: string, mend: string): Finding => ({
  check,
  verdict: 'finding',
  says,
  mend,
});

/** The messages of an error and of what caused it, without repeats. */
export function reasonOf(error: unknown): string {
  const texts: string[] = [];
  for (let at = error, depth = 0; at !== undefined && at !== null && depth < 4; depth += 1) {
    const { message, code, errors, cause } = at as {
      message?: string;
      code?: string;
      errors?: unknown[];
      cause?: unknown;
    };
    texts.push(message || code || (errors?.[0] === undefined ? '' : reasonOf(errors[0])));
    at = cause;
  }
  return [...new Set(texts.filter((text) => text !== ''))].join(': ') || String(error);
}
