import { eventMediaTypes, limits } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import type { IncomingHttpHeaders } from 'node:http';
import { binaryEvent, isBinaryMode } from './binary-mode.ts';
import { draftOf, type DraftEvent } from './draft-event.ts';

export interface PublishRequest {
  headers: IncomingHttpHeaders;
  /** The parsed JSON body; bytes in binary mode when they are not JSON. */
  body: unknown;
  bodyBytes: number;
  publisherId: string;
}

export type Publishing =
  | { mode: 'single'; event: DraftEvent }
  /** Each event is a draft or the refusal that it alone gets. */
  | { mode: 'batch'; events: (DraftEvent | AppError)[] };

/** Reads a publish in any of its forms: CloudEvents structured, batch and binary mode, or plain JSON. */
export function readPublishRequest(request: PublishRequest): Publishing {
  const mediaType = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  switch (mediaType) {
    case eventMediaTypes.batch:
      return { mode: 'batch', events: batchOf(request) };
    case eventMediaTypes.structured:
      return single(request, 'structured', request.body);
  }
  // What a binary event's headers and its body's base64 come to is measured when it is put together.
  if (isBinaryMode(request.headers)) return binary(request);
  if (mediaType === eventMediaTypes.plain) return single(request, 'plain', request.body);
  throw new AppError('unsupported_media_type', {
    detail: `an event comes as ${eventMediaTypes.plain}, ${eventMediaTypes.structured} or ${eventMediaTypes.batch}, or in binary mode`,
  });
}

function binary({ headers, body, publisherId }: PublishRequest): Publishing {
  return { mode: 'single', event: draftOf('structured', binaryEvent(headers, body), publisherId) };
}

function single(request: PublishRequest, shape: 'plain' | 'structured', value: unknown): Publishing {
  const { publisherId, bodyBytes } = request;
  return { mode: 'single', event: draftOf(shape, value, publisherId, bodyBytes) };
}

function batchOf({ body, bodyBytes, publisherId }: PublishRequest): (DraftEvent | AppError)[] {
  if (!Array.isArray(body)) throw new AppError('invalid', { detail: 'a batch is a list of events' });
  if (body.length === 0) throw new AppError('invalid', { detail: 'the batch is empty' });
  if (body.length > limits.batchEventsMax || bodyBytes > limits.batchBytesMax) {
    const detail = `a batch is at most ${limits.batchEventsMax} events and ${limits.batchBytesMax} bytes`;
    throw new AppError('too_large', { detail });
  }
  // When all of them together are small enough, each is.
  const bytes = bodyBytes <= limits.eventBytesMax ? bodyBytes : undefined;
  return body.map((value: unknown) => {
    try {
      return draftOf('structured', value, publisherId, bytes);
    } catch (error) {
      if (error instanceof AppError) return error;
      throw error;
    }
  });
}
