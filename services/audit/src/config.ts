import { baseUrlKey, commonConfig, migrationsKey, readConfig, type Environment } from '@boardwire/service-kit';
import { z } from 'zod';

const timeZoneKey = z.string().refine(isTimeZone, { message: 'an IANA time zone such as Europe/Rome' });

const days = z.coerce.number().int().min(1).max(36_500);
const everyMs = z.coerce.number().int().min(100).max(86_400_000);

export const auditConfig = commonConfig.extend({
  DATABASE_URL: z.string().min(1),
  /** The owner of the tables, who migrates; the service itself then runs as whoever `DATABASE_URL` names. */
  DATABASE_OWNER_URL: z.string().min(1).optional(),
  DATABASE_POOL_MAX: z.coerce.number().int().min(3).max(100).default(10),
  MIGRATIONS: migrationsKey,
  CHAT_URL: baseUrlKey,
  /** Decides the day of entries that belong to no board. */
  SITE_TIME_ZONE: timeZoneKey.default('UTC'),
  /** Seed of the key that signs checkpoints, base64url of 32 bytes; without it one is made and kept in the schema. */
  CHECKPOINT_KEY: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/, 'base64url of 32 bytes')
    .optional(),
  /** Days that details of entries, and whole records, are kept behind their own day. Without them: for ever. */
  AUDIT_DETAIL_DAYS: days.optional(),
  AUDIT_RECORD_DAYS: days.optional(),
  /** While it is true nothing is forgotten, whatever its age, and whoever removed it from its board. */
  AUDIT_LEGAL_HOLD: z.enum(['true', 'false']).default('false'),
  AUDIT_RETENTION_EVERY_MS: everyMs.default(600_000),
  /** Between two passes that compare the whole log with itself. */
  AUDIT_SCRUB_EVERY_MS: everyMs.default(3_600_000),
});
export type AuditConfig = z.infer<typeof auditConfig>;

export function readAuditConfig(env: Environment): AuditConfig {
  return readConfig(auditConfig, env);
}

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
