import { AppError } from '@boardwire/service-kit';
import type { IncomingHttpHeaders } from 'node:http';

const prefix = 'ce-';

/** CloudEvents HTTP binding 1.0.2, 3.1: attributes in `ce-` headers, the body is the data. */
export function isBinaryMode(headers: IncomingHttpHeaders): boolean {
  return headers['ce-specversion'] !== undefined;
}

/** The event in structured form. Header values are percent-encoded where they are not printable ASCII. */
export function binaryEvent(headers: IncomingHttpHeaders, data: unknown): Record<string, unknown> {
  const event: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(prefix) || typeof value !== 'string') continue;
    event[name.slice(prefix.length)] = decoded(name, value);
  }
  const contentType = headers['content-type'];
  return {
    ...event,
    ...(contentType === undefined ? {} : { datacontenttype: contentType }),
    ...(data === undefined ? {} : { data }),
  };
}

function decoded(name: string, value: string): string {
  const unquoted = /^".*"$/s.test(value) ? value.slice(1, -1).replace(/\\(.)/gs, '$1') : value;
  try {
    return decodeURIComponent(unquoted);
  } catch (cause) {
    throw new AppError('malformed', { detail: `${name} is not well encoded`, cause });
  }
}
