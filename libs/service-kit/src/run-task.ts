import process from 'node:process';
import type { Environment } from './config.ts';
import { createLogger, type Logger } from './logger.ts';

export type Task = (env: Environment, logger: Logger) => Promise<void>;

/** A program that does one thing and ends: with 0 when it is done, with 1 and a line that says why when it is not. */
export async function runTask(name: string, task: Task): Promise<void> {
  const logger = createLogger({ service: name, level: 'info' });
  try {
    await task(process.env, logger);
    logger.info({ event: 'task.done' });
    process.exit(0);
  } catch (error) {
    logger.fatal({ event: 'task.failed', err: error });
    process.exit(1);
  }
}
