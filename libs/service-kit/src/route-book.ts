import type { FastifyInstance } from 'fastify';

export interface RegisteredRoute {
  server: string;
  method: string;
  /** As Fastify knows it: `:name` is one segment, a final `*` the rest. */
  path: string;
}

/** The routes of a service, as its servers have them. */
export class RouteBook {
  readonly #routes: RegisteredRoute[] = [];

  /** Learns every route that is added from now on. HEAD goes with GET. */
  watch(fastify: FastifyInstance, server: string): void {
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const one of [method].flat()) {
        if (one !== 'HEAD') this.#routes.push({ server, method: one.toUpperCase(), path: url });
      }
    });
  }

  of(server: string): RegisteredRoute[] {
    return this.#routes.filter((route) => route.server === server);
  }
}
