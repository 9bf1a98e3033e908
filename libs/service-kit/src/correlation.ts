import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';

const storage = new AsyncLocalStorage<string>();
const traceIdPattern = /^[0-9a-f]{32}$/;
const traceparentPattern = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Runs `fn` so that every log line and internal request inside it carries this correlation id. */
export function withCorrelation<T>(id: string, fn: () => T): T {
  return storage.run(id, fn);
}

export function currentCorrelation(): string | undefined {
  return storage.getStore();
}

/** A new correlation id: a W3C trace id, 32 hexadecimal digits. Node draws UUIDs from a cache, random bytes one by one. */
export function newCorrelation(): string {
  return randomUUID().replaceAll('-', '');
}

/** The trace id of a `traceparent` header (W3C Trace Context, version 00), or undefined when it is not a valid one. */
export function correlationOf(traceparent: string | undefined): string | undefined {
  const traceId = traceparent === undefined ? undefined : traceparentPattern.exec(traceparent)?.[1];
  return traceId === '0'.repeat(32) ? undefined : traceId;
}

/** The `traceparent` to send with a request: the current trace, or a new one, under a span id of its own. */
export function traceparent(): string {
  const current = storage.getStore();
  const traceId = current !== undefined && traceIdPattern.test(current) ? current : newCorrelation();
  return `00-${traceId}-${newCorrelation().slice(16)}-01`;
}
