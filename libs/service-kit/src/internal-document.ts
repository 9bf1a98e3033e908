import type { RegisteredRoute, RouteBook } from './route-book.ts';

/**
 * The internal routes of a service as a small OpenAPI 3.1 document: what there is, not what it takes. Its schemas are
 * those of the contracts that both sides parse by. `x-public-routes` lists what the service's public port has.
 */
export function internalDocument(service: string, routes: RouteBook): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes.of('internal')) {
    (paths[templateOf(route.path)] ??= {})[route.method.toLowerCase()] = operationOf(route);
  }
  return {
    openapi: '3.1.0',
    info: { title: `Boardwire ${service}, internal`, version: '1.0.0' },
    paths,
    components: { securitySchemes: { service: { type: 'http', scheme: 'bearer' } } },
    'x-public-routes': routes.of('public').map(({ method, path }) => `${method} ${templateOf(path)}`),
  };
}

function operationOf({ path }: RegisteredRoute): Record<string, unknown> {
  const parameters = [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  return {
    ...(parameters.length === 0 ? {} : { parameters }),
    security: path.startsWith('/internal/') ? [{ service: [] }] : [],
    responses: { default: { description: 'See the contracts.' } },
  };
}

function templateOf(path: string): string {
  return path.replaceAll(/:(\w+)/g, '{$1}');
}
