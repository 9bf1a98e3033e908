import type { LoggerService } from '@nestjs/common';
import { destination as pinoDestination, pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino';
import { currentCorrelation } from './correlation.ts';

export type { Logger } from 'pino';

const secretNames = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'token',
  'accessToken',
  'refreshToken',
  'privateKey',
  'INTERNAL_SECRET',
  'NATS_TOKEN',
  'ADMIN_PASSWORD',
  'DATABASE_URL',
];
const secretPaths = [...secretNames, '["set-cookie"]'].flatMap((name) => {
  const inside = name.startsWith('[') ? name : `.${name}`;
  return [name, `*${inside}`, `*.*${inside}`, `*.*.*${inside}`];
});

export interface LoggerOptions {
  service: string;
  level: string;
  /** Where lines go; standard output by default. */
  destination?: DestinationStream;
}

/**
 * One structured line per event, `logger.info({ event: 'relay.leader', … })`, with the current correlation id.
 * Fields that are named like secrets are replaced, three levels deep.
 */
export function createLogger({ service, level, destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: { service },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: secretPaths, censor: '[redacted]' },
    mixin: () => {
      const correlation = currentCorrelation();
      return correlation === undefined ? {} : { correlation };
    },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** A file that lines are appended to, at once: the last words before a crash are the ones that matter. */
export function logFile(path: string): DestinationStream {
  return pinoDestination({ dest: path, append: true, mkdir: true, sync: true });
}

/** Nest's own lines: its start-up chatter is debug, its warnings and errors keep their level. */
export function nestLogger(logger: Logger): LoggerService {
  const fields = (rest: unknown[]) => ({ event: 'nest', context: rest.at(-1) });
  return {
    log: (message: unknown, ...rest: unknown[]) => logger.debug(fields(rest), String(message)),
    debug: (message: unknown, ...rest: unknown[]) => logger.trace(fields(rest), String(message)),
    verbose: (message: unknown, ...rest: unknown[]) => logger.trace(fields(rest), String(message)),
    warn: (message: unknown, ...rest: unknown[]) => logger.warn(fields(rest), String(message)),
    error: (message: unknown, ...rest: unknown[]) => logger.error(fields(rest), String(message)),
    fatal: (message: unknown, ...rest: unknown[]) => logger.fatal(fields(rest), String(message)),
  };
}
