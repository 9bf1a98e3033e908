import { z } from 'zod';
import { parseNetwork } from './address-guard.ts';
import type { DialerOptions } from './dialer.ts';
import { hostOf, type SocksProxy } from './peer-url.ts';

const list = z
  .string()
  .default('')
  .transform((text) => text.split(',').flatMap((item) => (item.trim() === '' ? [] : [item.trim().toLowerCase()])));

/** Where this site may dial; all absent: the open internet, over https. */
export const dialingConfigShape = {
  /** Networks in CIDR notation where peers may be, beside the open internet. */
  FEDERATION_ALLOWED_NETWORKS: list.refine((items) => items.every(isNetwork), 'networks such as 10.0.0.0/8'),
  /** `host` or `host:port` of peers that are called without TLS. */
  FEDERATION_ALLOWED_HTTP_HOSTS: list,
  /** A SOCKS5 proxy that resolves names itself, such as Tor's. */
  FEDERATION_PROXY: z
    .string()
    .refine((text) => proxyUrl(text) !== undefined, 'socks5h://[name:password@]host:port')
    .optional(),
  /** Whether the proxy is for every peer, or for `.onion` alone. */
  FEDERATION_PROXY_FOR: z.enum(['all', 'onion']).default('all'),
};

export type DialingConfig = z.infer<z.ZodObject<typeof dialingConfigShape>>;

/** The dialer that a configuration asks for. */
export function dialerOptions(config: DialingConfig): DialerOptions {
  return {
    allowedNetworks: config.FEDERATION_ALLOWED_NETWORKS,
    httpHosts: config.FEDERATION_ALLOWED_HTTP_HOSTS,
    proxy: proxyOf(config),
  };
}

function proxyOf({ FEDERATION_PROXY: text = '', FEDERATION_PROXY_FOR: scope }: DialingConfig): SocksProxy | undefined {
  const url = proxyUrl(text);
  if (url === undefined) return undefined;
  return {
    host: hostOf(url),
    port: Number(url.port),
    username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    isForAll: scope === 'all',
  };
}

function proxyUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return /^socks5h?:$/.test(url.protocol) && url.hostname !== '' && url.port !== '' ? url : undefined;
}

function isNetwork(text: string): boolean {
  try {
    parseNetwork(text);
    return true;
  } catch {
    return false;
  }
}
