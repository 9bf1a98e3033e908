import { problemMediaType, problemSchema, routeOwner } from '@boardwire/contracts';
import { refusalBody } from '@boardwire/dialects';
import type { FastifyInstance } from 'fastify';

/** Refusals on the paths of an older system, in the body that its clients know. Status and headers stay. */
export function addRefusalBodies(fastify: FastifyInstance): void {
  fastify.addHook('onSend', (request, reply, payload, done) => {
    const kind = routeOwner(request.url.split('?', 1)[0] ?? '/')?.errors ?? 'problem';
    const isProblem = String(reply.getHeader('content-type') ?? '').startsWith(problemMediaType);
    if (kind === 'problem' || !isProblem || typeof payload !== 'string') return done(null, payload);
    const problem = problemSchema.safeParse(JSON.parse(payload)).data;
    reply.header('content-type', 'application/json; charset=utf-8');
    reply.removeHeader('content-length');
    done(
      null,
      JSON.stringify(
        refusalBody(kind, { code: problem?.code, message: problem?.detail ?? problem?.title ?? 'refused' }),
      ),
    );
  });
}
