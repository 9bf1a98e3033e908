import type { FastifyInstance, FastifyRequest } from 'fastify';

const allowed = {
  methods: 'GET, POST, PUT, PATCH, DELETE',
  headers:
    'authorization, content-type, accept, last-event-id, idempotency-key, ce-specversion, ce-id, ce-source, ce-type, ce-subject, ce-time, ce-dataschema',
  exposed: 'link, retry-after, location, allow',
};

/** What the pages of a listed origin need to read an answer; nothing for anybody else. Never with credentials. */
export function corsHeaders(origins: readonly string[], request: FastifyRequest): Record<string, string> {
  if (origins.length === 0) return {};
  const { origin } = request.headers;
  if (origin === undefined || !origins.includes(origin)) return { vary: 'origin' };
  return {
    vary: 'origin',
    'access-control-allow-origin': origin,
    'access-control-expose-headers': allowed.exposed,
  };
}

/** Adds the headers to every answer, also to refusals, and answers preflights. */
export function addCors(fastify: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  fastify.addHook('onSend', (request, reply, payload, done) => {
    for (const [name, value] of Object.entries(corsHeaders(origins, request))) {
      const before = name === 'vary' ? reply.getHeader('vary') : undefined;
      reply.header(name, before === undefined ? value : `${String(before)}, ${value}`);
    }
    if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined) {
      reply.header('access-control-allow-methods', allowed.methods);
      reply.header('access-control-allow-headers', allowed.headers);
      reply.header('access-control-max-age', '600');
    }
    done(null, payload);
  });
}
