import { isJsonMediaType, isSubject } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import type { FastifyInstance } from 'fastify';
import type { IncomingHttpHeaders } from 'node:http';

const prefix = 'ce-';
/** Told by the request itself, or by its body. */
const notHeaders = new Set(['data', 'data_base64', 'datacontenttype']);
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** CloudEvents HTTP binding 1.0.2, 3.1: attributes in `ce-` headers, the body is the data. */
export function isBinaryMode(headers: IncomingHttpHeaders): boolean {
  return headers['ce-specversion'] !== undefined;
}

/** Data of any type comes as bytes, for a request in binary mode; other media types stay unknown. */
export function takeBinaryBodies(fastify: FastifyInstance): void {
  fastify.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    if (!isBinaryMode(request.headers)) return done(new AppError('unsupported_media_type'));
    request.rawBody = body;
    done(null, body);
  });
}

/** The event in structured form. Header values are percent-encoded where they are not printable ASCII. */
export function binaryEvent(headers: IncomingHttpHeaders, body: unknown): Record<string, unknown> {
  const event: Record<string, unknown> = {};
  for (const [header, value] of Object.entries(headers)) {
    if (!header.startsWith(prefix) || typeof value !== 'string') continue;
    const name = header.slice(prefix.length);
    if (notHeaders.has(name)) throw new AppError('invalid', { detail: `${header} is no header of binary mode` });
    event[name] = name === 'subject' ? subjectOf(value) : decoded(header, value);
  }
  const contentType = headers['content-type'];
  return {
    ...event,
    ...(contentType === undefined ? {} : { datacontenttype: contentType }),
    ...dataOf(contentType, body),
  };
}

/** JSON stands in an event as the value, text as a string, everything else as base64. */
function dataOf(contentType: string | undefined, body: unknown): { data?: unknown; data_base64?: string } {
  if (body === undefined) return {};
  if (!Buffer.isBuffer(body)) return { data: body };
  if (body.length === 0) return {};
  if (contentType === undefined) {
    throw new AppError('unsupported_media_type', { detail: 'data needs a content-type' });
  }
  if (isJsonMediaType(contentType)) return { data: parsed(body) };
  const text = isText(contentType) ? textOf(body) : undefined;
  return text === undefined ? { data_base64: body.toString('base64') } : { data: text };
}

/** Types that people read, in the one encoding that JSON has. */
function isText(mediaType: string): boolean {
  const charset = /;[ \t]*charset="?([^";\s]+)/i.exec(mediaType)?.[1]?.toLowerCase() ?? 'utf-8';
  return /^(?:text\/|application\/(?:[^;]+\+)?xml)/i.test(mediaType) && ['utf-8', 'us-ascii'].includes(charset);
}

function textOf(body: Buffer): string | undefined {
  try {
    return utf8.decode(body);
  } catch {
    return undefined;
  }
}

/** JSON under a media type that the server's own parser doesn't know, such as `text/json`. */
function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(utf8.decode(body));
  } catch (cause) {
    throw new AppError('malformed', { detail: 'the body is not JSON, as its content-type says', cause });
  }
}

function decoded(header: string, value: string): string {
  const unquoted = /^".*"$/s.test(value) ? value.slice(1, -1).replace(/\\(.)/gs, '$1') : value;
  try {
    return decodeURIComponent(unquoted);
  } catch (cause) {
    throw new AppError('malformed', { detail: `${header} is not well encoded`, cause });
  }
}

/** A sender that encodes nothing sends the `%XX` of our own subjects as they are. Decoded they are no subject. */
function subjectOf(value: string): string {
  const subject = decoded('ce-subject', value);
  return !isSubject(subject) && isSubject(value) ? value : subject;
}
