import { baseUrlKey, commonConfig, migrationsKey, readConfig, type Environment } from '@boardwire/service-kit';
import { z } from 'zod';

const zone = z.string().refine(isTimeZone, { message: 'an IANA time zone such as Europe/Rome' });

export const chatConfig = commonConfig.extend({
  DATABASE_URL: z.url({ protocol: /^postgres(?:ql)?$/ }),
  DATABASE_POOL_MAX: z.coerce.number().int().min(2).max(200).default(10),
  MIGRATIONS: migrationsKey,
  FEDERATION_URL: baseUrlKey,
  /** Without it decisions stay in the outbox. */
  AUDIT_URL: baseUrlKey.optional(),
  /** Sets the password of `admin` at every start; without it there is no administrator yet. */
  ADMIN_PASSWORD: z.string().min(8).max(256).optional(),
  GUESTS: z.enum(['on', 'off']).optional(),
  SITE_TIME_ZONE: zone.default('UTC'),
  /** How often it is looked for events that have outlived their board's retention. */
  RETENTION_EVERY_MS: z.coerce.number().int().min(100).default(60_000),
  /** On the disk that Postgres and NATS write to, where this service can see it: its room is told. */
  DATA_DISK_PATH: z.string().min(1).optional(),
});
export type ChatConfig = z.infer<typeof chatConfig>;

export const readChatConfig = (env: Environment): ChatConfig => readConfig(chatConfig, env);

/** Guests are for trying things out: on unless in production, where they have to be asked for. */
export const takesGuests = (config: ChatConfig): boolean => (config.GUESTS ?? defaultGuests(config)) === 'on';

function defaultGuests({ NODE_ENV }: ChatConfig): 'on' | 'off' {
  return NODE_ENV === 'production' ? 'off' : 'on';
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
