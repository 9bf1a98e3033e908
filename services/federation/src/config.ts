import { federationLimits } from '@boardwire/contracts';
import { baseUrlKey, commonConfig, migrationsKey } from '@boardwire/service-kit';
import { z } from 'zod';
import { dialingConfigShape } from './dialing/dialing-config.ts';

const secret = z.string().min(32, 'at least 32 characters');

export const federationConfig = commonConfig.extend({
  DATABASE_URL: z.url(),
  DATABASE_POOL_MAX: z.coerce.number().int().min(1).max(1_000).default(10),
  MIGRATIONS: migrationsKey,
  CHAT_URL: baseUrlKey,
  /** Without it decisions stay in the outbox, and nobody is told of requests that were refused. */
  AUDIT_URL: baseUrlKey.optional(),
  /** Where peers and browsers reach the site; without it the site document names no endpoint. */
  PUBLIC_URL: baseUrlKey.optional(),
  /** Addresses in place of PUBLIC_URL; `none` for a site that nobody can dial, which then dials out alone. */
  FEDERATION_ENDPOINTS: z
    .string()
    .transform((text) => (text.trim() === 'none' ? [] : text.split(',').map((item) => item.trim().replace(/\/+$/, ''))))
    .refine((items) => items.length <= 8 && items.every(isEndpoint), 'addresses such as https://board.example, or none')
    .optional(),
  SITE_NAME: z.string().min(1).max(200).default('Boardwire'),
  /** Seals the site's private keys in the database; INTERNAL_SECRET does when it is absent. */
  KEY_SECRET: secret.optional(),
  /** After a change of the sealing secret: the one before, until the next start has sealed the keys anew. */
  KEY_SECRET_FORMER: secret.optional(),
  /** Between the frames that tell peers how far this site is, while nothing happens. */
  FEDERATION_HEARTBEAT_MS: z.coerce
    .number()
    .int()
    .min(100)
    .max(federationLimits.heartbeatMs)
    .default(federationLimits.heartbeatMs),
  ...dialingConfigShape,
});
/** Where the site document says that others find this site. */
export const endpointsOf = ({ FEDERATION_ENDPOINTS: named, PUBLIC_URL: own }: FederationConfig): string[] =>
  named ?? (own === undefined ? [] : [own]);

function isEndpoint(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

export type FederationConfig = z.infer<typeof federationConfig>;
