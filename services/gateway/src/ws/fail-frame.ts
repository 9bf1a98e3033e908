import type { AppError } from '@boardwire/service-kit';
import type { ReadFrame } from './client-frames.ts';

/** The part of an answer that names its request. */
export function reqOf(frame: ReadFrame): { req?: string | number } {
  return 'req' in frame && frame.req !== undefined ? { req: frame.req } : {};
}

/** The part of a `fail` frame that tells why. */
export function failureOf(error: AppError) {
  const { code, detail, errors, retryAfterMs } = error.toProblem();
  return {
    code,
    ...(detail === undefined ? {} : { detail }),
    ...(errors === undefined ? {} : { errors }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}
