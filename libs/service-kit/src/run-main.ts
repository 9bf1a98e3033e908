import process from 'node:process';
import { ConfigError } from './config.ts';
import { createLogger } from './logger.ts';
import type { Boot, RunningService } from './running-service.ts';

/**
 * A service as a process of its own. SIGTERM and SIGINT stop it and exit with 0, a second one with 1; a bad
 * configuration lists every bad key and exits with 1; what nobody caught is logged and exits with 1.
 */
export async function runMain(boot: Boot): Promise<void> {
  const logger = createLogger({ service: 'main', level: 'info' });
  let running: RunningService | undefined;
  let isStopping = false;

  const crash = (event: string) => (error: unknown) => {
    logger.fatal({ event, err: error });
    process.exit(1);
  };
  const stop = () => {
    if (isStopping) process.exit(1);
    isStopping = true;
    // Nothing to drain before the service runs: connections fall with the process.
    if (running === undefined) process.exit(0);
    setTimeout(() => process.exit(1), running.stopMaxMs).unref();
    running.stop().then(() => process.exit(0), crash('service.stop_failed'));
  };

  process.on('unhandledRejection', crash('process.unhandled_rejection'));
  process.on('uncaughtException', crash('process.uncaught_exception'));
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  try {
    running = await boot(process.env);
  } catch (error) {
    if (error instanceof ConfigError) tellBadKeys(error);
    else logger.fatal({ event: 'service.start_failed', err: error });
    process.exit(1);
  }
}

function tellBadKeys({ badKeys }: ConfigError): void {
  const lines = badKeys.map(({ key, message }) => `  ${key}: ${message}`);
  process.stderr.write(`The configuration cannot be used:\n${lines.join('\n')}\n`);
}
