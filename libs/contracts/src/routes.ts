import type { InternalService } from './internal.ts';

/** Which error body a path's clients know. */
export type ErrorBody = 'problem' | 'axonchat';

export interface RouteOwner {
  /** Path prefix, ending in `/` unless it is one exact path. */
  prefix: string;
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
  { prefix: '/v1/boards', owner: 'gateway', errors: 'problem', access: 'token' },
  { prefix: '/v1/ws', owner: 'gateway', errors: 'problem', access: 'token' },
  { prefix: '/v1/audit/', owner: 'audit', errors: 'problem', forwardTo: '/internal/v1/audit/', access: 'token' },
  {
    prefix: '/.well-known/boardwire',
    owner: 'federation',
    errors: 'problem',
    forwardTo: '/internal/v1/site-document',
    access: 'public',
  },
  { prefix: '/api/chat/', owner: 'applets', errors: 'axonchat', access: 'token' },
  { prefix: '/api/token/', owner: 'applets', errors: 'axonchat', access: 'public' },
  { prefix: '/', owner: 'console', errors: 'problem', access: 'public' },
];

/** The owner of a path: the longest prefix that fits. */
export function routeOwner(path: string): RouteOwner | undefined {
  let best: RouteOwner | undefined;
  for (const route of routeTable) {
    const fits = route.prefix.endsWith('/')
      ? path.startsWith(route.prefix)
      : path === route.prefix || path.startsWith(`${route.prefix}/`);
    if (fits && (best === undefined || route.prefix.length > best.prefix.length)) best = route;
  }
  return best;
}
