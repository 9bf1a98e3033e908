import { isIP } from 'node:net';
import { DialError } from './dial-error.ts';

/** How the operator lets this site reach others. */
export interface DialingPolicy {
  /** `host` or `host:port` that may be called without TLS. */
  httpHosts: readonly string[];
  proxy?: SocksProxy | undefined;
}

export interface SocksProxy {
  host: string;
  port: number;
  username: string;
  password: string;
  /** For every peer, or for `.onion` alone. */
  isForAll: boolean;
}

/** Where one request goes, after the rules about addresses as text. */
export interface PeerUrl {
  url: URL;
  /** Without brackets and without a dot at its end. */
  host: string;
  port: number;
  isTls: boolean;
  /** Named by the proxy and resolved behind it. */
  isProxied: boolean;
}

// Behind a proxy nobody tells us the address, so names that only mean something inside a network are refused as such.
const insideNames = /^(?:[^.]*|.*\.(?:localhost|local|internal|lan|home\.arpa))$/;

/**
 * Reads a peer's address: https, or http where the operator said so or Tor encrypts; no credentials.
 * @throws DialError `bad_url`, `address_refused`
 */
export function peerUrl(text: string, { httpHosts, proxy }: DialingPolicy): PeerUrl {
  const url = parsed(text);
  const host = hostOf(url);
  const isOnion = host.endsWith('.onion');
  const isTls = url.protocol === 'https:';
  const isHttpListed = httpHosts.includes(host) || httpHosts.includes(url.host);
  if (!isTls && !(url.protocol === 'http:' && (isHttpListed || isOnion))) throw new DialError('bad_url', 'not https');
  if (url.username !== '' || url.password !== '') throw new DialError('bad_url', 'credentials in an address');
  if (isOnion && proxy === undefined) throw new DialError('bad_url', '.onion needs a proxy');
  const isProxied = proxy !== undefined && (isOnion || proxy.isForAll);
  if (isProxied && isIP(host) === 0 && !isHttpListed && insideNames.test(host)) {
    throw new DialError('address_refused', `${host} is a name inside a network`);
  }
  return { url, host, port: Number(url.port) || (isTls ? 443 : 80), isTls, isProxied };
}

function parsed(text: string): URL {
  try {
    return new URL(text);
  } catch (cause) {
    throw new DialError('bad_url', 'not an address', cause);
  }
}

/** As resolvers and proxies take it. */
export function hostOf({ hostname }: { hostname: string }): string {
  return hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}
