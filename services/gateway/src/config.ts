import { limits } from '@boardwire/contracts';
import { baseUrlKey, commonConfig, portKey } from '@boardwire/service-kit';
import { z } from 'zod';
import { pageBytesMax } from './delivery/replay-source.ts';
import { trustedIssuersKey } from './rights/trusted-issuers.ts';

const originsKey = z
  .string()
  .transform((text) => text.split(/[\s,]+/).filter((origin) => origin !== ''))
  .pipe(z.array(z.url({ protocol: /^https?$/ }).transform((url) => new URL(url).origin)));

/** As `proxy-addr` reads them: addresses, networks such as `10.0.0.0/8`, and `loopback`, `linklocal`, `uniquelocal`. */
const proxiesKey = z
  .string()
  .transform((text) => text.split(/[\s,]+/).filter((part) => part !== ''))
  .pipe(
    z.array(z.union([z.enum(['loopback', 'linklocal', 'uniquelocal']), z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()])),
  );

const milliseconds = (byDefault: number) => z.coerce.number().int().min(10).max(3_600_000).default(byDefault);

export const gatewayConfig = commonConfig.extend({
  PORT: portKey.default(8080),
  PUBLIC_HOST: z.string().min(1).default('0.0.0.0'),
  /** Where people reach the site, when that is not the address it listens on. */
  PUBLIC_URL: baseUrlKey.optional(),
  /** The built console; without it a page says how to build it. */
  CONSOLE_DIR: z.string().min(1).optional(),
  /** Origins of other sites' pages that may use this one's API, separated by commas or blanks. */
  CORS_ORIGINS: originsKey.default([]),
  /** Other issuers whose tokens are taken, and how far their word goes. */
  TRUSTED_ISSUERS: trustedIssuersKey.default([]),
  /** Addresses and networks of proxies whose `X-Forwarded-For` is believed. */
  TRUSTED_PROXIES: proxiesKey.default([]),
  CHAT_URL: baseUrlKey,
  AUDIT_URL: baseUrlKey,
  FEDERATION_URL: baseUrlKey,
  APPLETS_URL: baseUrlKey,
  HEARTBEAT_MS: milliseconds(limits.heartbeatMs),
  PING_MS: milliseconds(limits.pingMs),
  HEADERS_TIMEOUT_MS: milliseconds(limits.headersTimeoutMs),
  BODY_TIMEOUT_MS: milliseconds(limits.bodyTimeoutMs),
  /** Names this gateway among the others; by default a random name. */
  POD_NAME: z.string().min(1).max(253).optional(),
  PRESENCE_BEAT_MS: milliseconds(limits.presenceBeatMs),
  STREAM_MAX_AGE_MS: z.coerce
    .number()
    .int()
    .min(1_000)
    .max(7 * 24 * 3_600_000)
    .default(limits.streamMaxAgeMs),
  LEAVE_GRACE_MS: z.coerce.number().int().min(0).max(60_000).default(limits.leaveGraceMs),
  OUTBOX_BYTES_MAX: z.coerce
    .number()
    .int()
    .min(2 * pageBytesMax, `must hold two pages of a replay: ${2 * pageBytesMax} bytes or more`)
    .default(limits.outboxBytesMax),
  /** Of all boards together; each has its own bounds as well. */
  RINGS_BYTES_MAX: z.coerce
    .number()
    .int()
    .min(1024 * 1024)
    .default(limits.ringsBytesMax),
  OUTBOX_TOTAL_BYTES_MAX: z.coerce.number().int().min(65_536).default(limits.outboxTotalBytesMax),
  RING_EVENTS_MAX: z.coerce.number().int().min(1).default(limits.ringEventsMax),
  REPLAY_EVENTS_MAX: z.coerce.number().int().min(1).default(limits.replayEventsMax),
});
export type GatewayConfig = z.infer<typeof gatewayConfig>;
