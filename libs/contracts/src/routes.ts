import type { InternalService } from './internal.ts';

/** Which error body a path's clients know. */
export type ErrorBody = 'problem' | 'axonchat' | 'tradingroom';

export interface RouteOwner {
  /** `/v1/auth/` owns what is below it; without a slash at the end the path itself as well. */
  prefix: string;
  /** Owns this very path and nothing below it. */
  isExact?: true;
  owner: InternalService | 'console';
  errors: ErrorBody;
  /** Path on the owner's internal port that takes the place of the prefix; absent when the gateway serves it itself. */
  forwardTo?: string;
  /** Whether a token is needed before the request is passed on. */
  access: 'public' | 'token';
}

/**
 * Who owns each public path. The gateway serves its own and forwards the rest; internal routes are never reachable
 * from outside because only these prefixes are. The longest prefix wins.
 */
export const routeTable: readonly RouteOwner[] = [
  { prefix: '/v1/auth/', owner: 'chat', errors: 'problem', forwardTo: '/internal/v1/auth/', access: 'public' },
  {
    prefix: '/.well-known/jwks.json',
    owner: 'chat',
    errors: 'problem',
    forwardTo: '/internal/v1/jwks.json',
    access: 'public',
  },
  { prefix: '/v1/me/', owner: 'chat', errors: 'problem', forwardTo: '/internal/v1/me/', access: 'token' },
  { prefix: '/v1/boards', owner: 'gateway', errors: 'problem', access: 'token' },
  {
    prefix: '/v1/stream-tickets',
    isExact: true,
    owner: 'chat',
    errors: 'problem',
    forwardTo: '/internal/v1/stream-tickets',
    access: 'token',
  },
  { prefix: '/v1/openapi.json', isExact: true, owner: 'gateway', errors: 'problem', access: 'public' },
  { prefix: '/v1/asyncapi.json', isExact: true, owner: 'gateway', errors: 'problem', access: 'public' },
  { prefix: '/docs', owner: 'gateway', errors: 'problem', access: 'public' },
  { prefix: '/v1/ws', owner: 'gateway', errors: 'problem', access: 'token' },
  { prefix: '/v1/audit/', owner: 'audit', errors: 'problem', forwardTo: '/internal/v1/audit/', access: 'token' },
  {
    prefix: '/v1/federation',
    owner: 'federation',
    errors: 'problem',
    forwardTo: '/internal/v1/federation',
    access: 'token',
  },
  {
    prefix: '/.well-known/boardwire',
    owner: 'federation',
    errors: 'problem',
    forwardTo: '/internal/v1/site-document',
    access: 'public',
  },
  // Passed on as it came, whatever it says: other sites sign their paths, headers and bytes.
  { prefix: '/fed/', owner: 'federation', errors: 'problem', access: 'public' },
  // Nothing else under /v1/: a wrong path is a refusal, never the console's page.
  { prefix: '/v1/', owner: 'gateway', errors: 'problem', access: 'public' },
  // AxonChat. Its paths end in a slash, and without one they are other paths. Streams end at the gateway.
  { prefix: '/api/chat/events/', isExact: true, owner: 'gateway', errors: 'axonchat', access: 'token' },
  {
    prefix: '/api/chat/post/',
    isExact: true,
    owner: 'applets',
    errors: 'axonchat',
    forwardTo: '/internal/v1/applets/axonchat/post',
    access: 'token',
  },
  // The trading room. What its agents decided stands in the audit log alone.
  {
    prefix: '/api/agents/',
    owner: 'audit',
    errors: 'tradingroom',
    forwardTo: '/internal/v1/agents/',
    access: 'token',
  },
  { prefix: '/api/', owner: 'gateway', errors: 'axonchat', access: 'public' },
  { prefix: '/', owner: 'console', errors: 'problem', access: 'public' },
];

/** The owner of a path (without query): the longest prefix that fits. */
export function routeOwner(path: string): RouteOwner | undefined {
  let best: RouteOwner | undefined;
  for (const route of routeTable) {
    if (fits(route, path) && (best === undefined || route.prefix.length > best.prefix.length)) best = route;
  }
  return best;
}

/** A path that a server could read as another one: dot segments, hidden slashes. It must not climb out of its prefix. */
const evasive = /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)|%2f|%5c|\\|\/\//i;

/** Whether a path (without query) means the same to every server. */
export function isStraightPath(path: string): boolean {
  return !evasive.test(path);
}

/** The path on the owner's internal port; undefined when the route isn't forwarded or the path isn't straight. */
export function forwardedPath(route: RouteOwner, path: string): string | undefined {
  if (route.forwardTo === undefined || !fits(route, path) || !isStraightPath(path)) return undefined;
  return route.forwardTo + path.slice(route.prefix.length);
}

/** Prefixes that two routes claim, with or without the slash at the end, and forwards that would lose their slash. */
export function routeCollisions(table: readonly RouteOwner[] = routeTable): string[] {
  const seen = new Set<string>();
  const found: string[] = [];
  for (const { prefix, isExact, forwardTo } of table) {
    const key = prefix.replace(/\/$/, '');
    if (seen.has(key)) found.push(prefix);
    seen.add(key);
    if (forwardTo !== undefined && isExact !== true && forwardTo.endsWith('/') !== prefix.endsWith('/'))
      found.push(forwardTo);
  }
  return found;
}

function fits({ prefix, isExact }: RouteOwner, path: string): boolean {
  if (path === prefix) return true;
  return isExact !== true && path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
}
