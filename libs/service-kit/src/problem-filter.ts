import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from './app-error.ts';
import { appErrorFrom } from './app-error-from.ts';
import type { Logger } from './logger.ts';
import { RefusalLog } from './refusal-log.ts';
import { replyProblem } from './problem-reply.ts';

/**
 * Every error of every route as `application/problem+json` with a code of the error table. What nobody expected is
 * logged once and reaches the caller as `internal`, without a word of what it was.
 */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #logger: Logger;
  readonly #refusals: RefusalLog;

  constructor(logger: Logger) {
    this.#logger = logger;
    this.#refusals = new RefusalLog(logger);
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    replyProblem(http.getResponse<FastifyReply>(), this.translate(thrown, request));
  }

  /** For filters with another error body, such as a dialect's: the same translation, the same log line. */
  translate(thrown: unknown, request: FastifyRequest): AppError {
    const expected = appErrorFrom(thrown);
    const route = request.routeOptions?.url;
    if (expected === undefined && isEndOfGoneClient(thrown, request)) return new AppError('request_timeout');
    if (expected === undefined) {
      this.#logger.error({ event: 'request.failed', method: request.method, route, err: thrown });
      return new AppError('internal', { cause: thrown });
    }
    if (expected.status >= 500) this.#refusals.refused(expected, route);
    return expected;
  }
}

/** What was fetched for somebody who has left meanwhile is let go of; nobody reads the answer. */
function isEndOfGoneClient(thrown: unknown, request: FastifyRequest): boolean {
  if (!(thrown instanceof Error) || request.raw.socket?.destroyed !== true) return false;
  // What is fetched ends as aborted; a stream that was to pass it on, as closed too early.
  return thrown.name === 'AbortError' || (thrown as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE';
}
