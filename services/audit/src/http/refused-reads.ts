import { decodeIdentity, internalHeaders } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { tap, type Observable } from 'rxjs';
import type { ReadRecords } from '../reading/read-records.ts';

/** That someone was refused is worth a record as well. */
export class RefusedReads implements NestInterceptor {
  constructor(private readonly records: ReadRecords) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    return next.handle().pipe(tap({ error: (error: unknown) => this.#note(request, error) }));
  }

  #note(request: FastifyRequest, error: unknown): void {
    if (!(error instanceof AppError) || error.code !== 'forbidden') return;
    const header = request.headers[internalHeaders.identity];
    const reader = typeof header === 'string' ? decodeIdentity(header) : undefined;
    if (reader !== undefined) this.records.note(reader, 'audit.read', { url: request.url, outcome: 'refused' });
  }
}
