import { isConnectionError } from '@boardwire/database';
import { AppError } from '@boardwire/service-kit';

/** Without Postgres the caller hears that, rather than of a fault of ours. */
export async function available<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isConnectionError(error)) throw new AppError('database_unavailable', { cause: error });
    throw error;
  }
}
