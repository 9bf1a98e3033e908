import { baseUrlKey, commonConfig, readConfig, type Environment } from '@boardwire/service-kit';
import { z } from 'zod';

const timeZoneKey = z.string().refine(isTimeZone, { message: 'an IANA time zone such as Europe/Rome' });

export const auditConfig = commonConfig.extend({
  DATABASE_URL: z.string().min(1),
  DATABASE_POOL_MAX: z.coerce.number().int().min(3).max(100).default(10),
  CHAT_URL: baseUrlKey,
  /** Decides the day of entries that belong to no board. */
  SITE_TIME_ZONE: timeZoneKey.default('UTC'),
  /** Seed of the key that signs checkpoints, base64url of 32 bytes; without it one is made and kept in the schema. */
  CHECKPOINT_KEY: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/, 'base64url of 32 bytes')
    .optional(),
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
