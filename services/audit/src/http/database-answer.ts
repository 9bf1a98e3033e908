import { isConnectionError } from '@boardwire/database';
import { AppError } from '@boardwire/service-kit';

/** A database that is away is a 503, not a fault. */
export async function databaseAnswer<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isConnectionError(error)) throw new AppError('database_unavailable', { cause: error });
    throw error;
  }
}
