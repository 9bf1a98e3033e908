import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Framing } from '../delivery/http-chunk.ts';
import { takeSocket } from './take-socket.ts';

export type Headers = Readonly<Record<string, string>>;

const streamHeaders: Headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
  // The stream ends with its connection: nothing else is to come on it.
  connection: 'close',
};
/** Ends a chunked body (RFC 9112, 7.1). */
const lastChunk = Buffer.from('0\r\n\r\n');

/** An open event stream: the socket to write to, with bytes framed as its client expects them. */
export class EventStream {
  readonly socket: Socket;
  readonly framing: Framing;

  constructor(socket: Socket, framing: Framing) {
    this.socket = socket;
    this.framing = framing;
  }

  /** Closes when what was written has left. */
  end(): void {
    if (this.framing === 'chunked') this.socket.write(lastChunk);
    this.socket.destroySoon();
  }
}

/**
 * Sends the head of an event stream past the response, and takes the connection over from it. What is written in the
 * same tick leaves together with the head. Undefined when there is no connection to be had.
 */
export function openEventStream(
  request: IncomingMessage,
  response: ServerResponse,
  headers: Headers = {},
): EventStream | undefined {
  const socket = takeSocket(response);
  if (socket === undefined) return undefined;
  const framing = request.httpVersionMinor > 0 ? 'chunked' : 'plain';
  socket.cork();
  process.nextTick(uncork, socket);
  socket.write(headOf(headers, framing), 'latin1');
  return new EventStream(socket, framing);
}

/** A whole event stream at once: for who is sent away, and for `HEAD`. */
export function answerEventStream(response: ServerResponse, headers: Headers, text = ''): void {
  response.writeHead(200, { ...headers, ...streamHeaders });
  response.end(text);
}

function headOf(headers: Headers, framing: Framing): string {
  let head = 'HTTP/1.1 200 OK\r\n';
  for (const [name, value] of Object.entries(headers)) head += `${name}: ${value}\r\n`;
  for (const [name, value] of Object.entries(streamHeaders)) head += `${name}: ${value}\r\n`;
  if (framing === 'chunked') head += 'transfer-encoding: chunked\r\n';
  return `${head}date: ${new Date().toUTCString()}\r\n\r\n`;
}

function uncork(socket: Socket): void {
  socket.uncork();
}
