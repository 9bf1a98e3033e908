import type { FastifyInstance, RouteOptions } from 'fastify';

interface KnownRoute {
  pattern: RegExp;
  methods: Set<string>;
}

/** Which methods the server takes at a path, so that a wrong one is told from a wrong path. */
export class RouteMethods {
  readonly #routes = new Map<string, KnownRoute>();

  /** Learns every route that is added from now on. */
  watch(fastify: FastifyInstance): void {
    fastify.addHook('onRoute', (route) => this.add(route));
  }

  /** A route that catches whatever is left says nothing about a path. */
  add({ url, method }: Pick<RouteOptions, 'url' | 'method'>): void {
    if (url === '/*' || url === '*') return;
    const route = this.#routes.get(url) ?? { pattern: patternOf(url), methods: new Set<string>() };
    this.#routes.set(url, route);
    for (const one of [method].flat()) route.methods.add(one.toUpperCase());
  }

  /** Sorted, with HEAD wherever there is GET; empty when there is nothing at the path. */
  allowed(path: string): string[] {
    const methods = new Set<string>();
    for (const route of this.#routes.values()) {
      if (route.pattern.test(path)) for (const method of route.methods) methods.add(method);
    }
    if (methods.has('GET')) methods.add('HEAD');
    if (methods.size > 0) methods.add('OPTIONS');
    return [...methods].toSorted();
  }
}

/** Fastify's patterns: `:name` is one segment, `*` the rest. */
function patternOf(url: string): RegExp {
  const source = url
    .split('/')
    .map((segment) => (/^:[A-Za-z0-9_]+$/.test(segment) ? '[^/]+' : escaped(segment).replaceAll('\\*', '.*')))
    .join('/');
  return new RegExp(`^${source}/?$`);
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
