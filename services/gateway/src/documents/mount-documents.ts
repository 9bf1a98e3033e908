import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createHash } from 'node:crypto';
import { docsPage, type AsyncApi, type OpenApi } from './docs-page.ts';
import { docsStyle } from './docs-style.ts';

type DocumentName = 'openapi' | 'asyncapi' | 'docs';

interface Written {
  text: string;
  type: string;
  etag: string;
}

const paths: Readonly<Record<string, DocumentName>> = {
  '/v1/openapi.json': 'openapi',
  '/v1/asyncapi.json': 'asyncapi',
  '/docs': 'docs',
};
const styleHash = createHash('sha256').update(docsStyle).digest('base64');
const pagePolicy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** Serves the documents of the public interface, written at the first request for one of them. */
export function mountDocuments(fastify: FastifyInstance): void {
  let written: Promise<Record<DocumentName, Written>> | undefined;
  for (const [path, name] of Object.entries(paths)) {
    fastify.get(path, async (request, reply) => {
      written ??= write();
      return answer(request, reply, (await written)[name]);
    });
  }
}

function answer(request: FastifyRequest, reply: FastifyReply, { text, type, etag }: Written): FastifyReply {
  reply.header('etag', etag).header('cache-control', 'no-cache').header('x-content-type-options', 'nosniff');
  if (type.startsWith('text/html')) {
    reply.header('content-security-policy', pagePolicy).header('referrer-policy', 'no-referrer');
  }
  if (knows(request.headers['if-none-match'], etag)) return reply.code(304).send();
  return reply.header('content-type', type).serializer(String).send(text);
}

/** RFC 9110, 13.1.2: the comparison is the weak one, since a proxy that compresses weakens the tag. */
function knows(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}

/** Nobody but a reader of the documents pays for the schemas that they are made of. */
async function write(): Promise<Record<DocumentName, Written>> {
  const { openApiDocument, asyncApiDocument } = await import('@boardwire/contracts/documents');
  const openApi = openApiDocument();
  const asyncApi = asyncApiDocument();
  const page = docsPage(openApi as unknown as OpenApi, asyncApi as unknown as AsyncApi);
  return {
    openapi: tagged(JSON.stringify(openApi), 'application/json; charset=utf-8'),
    asyncapi: tagged(JSON.stringify(asyncApi), 'application/json; charset=utf-8'),
    docs: tagged(page, 'text/html; charset=utf-8'),
  };
}

function tagged(text: string, type: string): Written {
  return { text, type, etag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"` };
}
