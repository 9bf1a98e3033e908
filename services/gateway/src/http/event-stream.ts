import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Framing } from '../delivery/http-chunk.ts';

export interface EventStream {
  socket: Socket;
  framing: Framing;
}

/**
 * Sends the head of an event stream and hands over the socket: from here on bytes are written to it directly, framed
 * as chunks by whoever encodes them; `response.end()` still writes the last chunk. Undefined when the socket is not
 * this response's (a pipelined request) or has gone.
 */
export function openEventStream(
  response: ServerResponse,
  headers: Readonly<Record<string, string>> = {},
): EventStream | undefined {
  const { socket } = response;
  if (socket === null || socket.destroyed) {
    response.destroy();
    return undefined;
  }
  response.writeHead(200, {
    ...headers,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
    // The stream ends with its connection: nothing else is to come on it.
    connection: 'close',
  });
  response.flushHeaders();
  // The deadline for the request is met; an open stream has none.
  socket.setTimeout(0);
  return { socket, framing: response.chunkedEncoding ? 'chunked' : 'plain' };
}
