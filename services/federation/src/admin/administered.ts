import { isConnectionError } from '@boardwire/database';
import { AppError } from '@boardwire/service-kit';
import type { FastifyRequest } from 'fastify';
import { administratorOf } from './administrator.ts';

/** What an administrator asked for, told who that is. A database that is away is a 503, not a fault. */
export async function administered<T>(request: FastifyRequest, work: (actor: string) => Promise<T>): Promise<T> {
  const actor = administratorOf(request);
  try {
    return await work(actor);
  } catch (error) {
    if (isConnectionError(error)) throw new AppError('database_unavailable', { cause: error });
    throw error;
  }
}
