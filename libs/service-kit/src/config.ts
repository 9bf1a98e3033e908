import { z } from 'zod';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface BadKey {
  key: string;
  message: string;
}

/** The configuration cannot be used. Lists every bad key, so that one start tells all there is to repair. */
export class ConfigError extends Error {
  readonly badKeys: readonly BadKey[];

  constructor(badKeys: readonly BadKey[]) {
    super(`bad configuration: ${badKeys.map(({ key, message }) => `${key}: ${message}`).join('; ')}`);
    this.name = 'ConfigError';
    this.badKeys = badKeys;
  }
}

/**
 * Reads a service's configuration through its schema, once.
 * An empty value counts as absent: compose files and `.env` pass unset keys as empty strings.
 *
 * @throws ConfigError naming every bad key; never a value, which may be a secret.
 */
export function readConfig<S extends z.ZodType>(schema: S, env: Environment): z.infer<S> {
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const result = schema.safeParse(present);
  const badKeys = result.success
    ? developmentSecrets(result.data as Record<string, unknown>)
    : result.error.issues.map((issue) => ({ key: issue.path.join('.') || '(all)', message: issue.message }));
  if (badKeys.length > 0) throw new ConfigError(badKeys);
  return result.data as z.infer<S>;
}

/** The secrets of docker-compose.yml are known to everybody: each carries this mark, and production takes none of them. */
const developmentMark = 'development-only';

function developmentSecrets(config: Record<string, unknown>): BadKey[] {
  if (config['NODE_ENV'] !== 'production') return [];
  return Object.entries(config)
    .filter(([, value]) => typeof value === 'string' && value.includes(developmentMark))
    .map(([key]) => ({ key, message: 'a secret for development only; production needs one of your own' }));
}

/** A TCP port; 0 asks the system for any free one. */
export const portKey = z.coerce.number().int().min(0).max(65_535);

/** The base URL of another service, without a slash at the end. */
export const baseUrlKey = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, ''));

/**
 * Who brings a service's schema up to date: itself at its start (`run`), or a program that runs before it under the
 * schema's owner, for which it waits (`wait`).
 */
export const migrationsKey = z.enum(['run', 'wait']).default('run');

/** The keys that all services share; a service extends it with its own. */
export const commonConfig = z.object({
  NODE_ENV: z.enum(['development', 'production', 'test']).default('development'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  /** Log lines are appended to this file instead of standard output: several services in one process share a terminal. */
  LOG_FILE: z.string().min(1).optional(),
  HOST: z.string().min(1).default('127.0.0.1'),
  INTERNAL_PORT: portKey.default(0),
  INTERNAL_SECRET: z.string().min(32, 'at least 32 characters'),
  NATS_URL: z.string().min(1).default('nats://127.0.0.1:4222'),
  NATS_TOKEN: z.string().min(1).optional(),
  /** Servers that keep each stream: 3 where NATS is a cluster. JetStream takes no more than 5. */
  NATS_REPLICAS: z.coerce.number().int().min(1).max(5).default(1),
  DRAIN_MS: z.coerce.number().int().min(0).max(120_000).optional(),
  LAME_DUCK_MS: z.coerce.number().int().min(0).max(60_000).optional(),
});
export type CommonConfig = z.infer<typeof commonConfig>;

const lameDuckMaxMs = 3_000;

/**
 * How long a service that stops still takes requests after its readiness is gone: balancers need a moment to see that.
 * Without one before it, as on a developer's machine, nobody has to wait.
 */
export function lameDuckMs(config: Pick<CommonConfig, 'NODE_ENV' | 'DRAIN_MS' | 'LAME_DUCK_MS'>): number {
  const byDefault = config.NODE_ENV === 'production' ? Math.min(lameDuckMaxMs, drainMs(config) / 2) : 0;
  return config.LAME_DUCK_MS ?? byDefault;
}

/** A process that has been told to end is gone after this, whatever hangs in it: long enough for all that it drains. */
export function stopMaxMs(config: Pick<CommonConfig, 'NODE_ENV' | 'DRAIN_MS' | 'LAME_DUCK_MS'>): number {
  return Math.max(30_000, lameDuckMs(config) + drainMs(config) + 10_000);
}

/** How long a service may take to drain: 1 s on a developer's machine, 10 s in production, unless configured. */
export function drainMs(config: Pick<CommonConfig, 'NODE_ENV' | 'DRAIN_MS'>): number {
  return config.DRAIN_MS ?? (config.NODE_ENV === 'production' ? 10_000 : 1_000);
}
