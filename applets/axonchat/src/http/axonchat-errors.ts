import { AppError, ProblemFilter, problemHeaders } from '@boardwire/service-kit';
import { Catch, type ArgumentsHost } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Refusals as AxonChat's clients know them: `{"error": string}`, with the status and headers of any other. */
@Catch()
export class AxonchatErrors extends ProblemFilter {
  override catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    const error = this.translate(thrown, http.getRequest<FastifyRequest>());
    for (const [name, value] of Object.entries(problemHeaders(error))) {
      if (name !== 'www-authenticate' || !reply.hasHeader(name)) reply.header(name, value);
    }
    void reply
      .code(error.status)
      .header('content-type', 'application/json; charset=utf-8')
      .send({ error: sentenceOf(error) });
  }
}

function sentenceOf(error: AppError): string {
  const field = error.errors?.[0];
  if (field !== undefined) return field.path === '' ? field.message : `${field.path}: ${field.message}`;
  return error.detail ?? error.toProblem().title;
}
