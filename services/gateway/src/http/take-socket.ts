import type { ServerResponse } from 'node:http';
import { Socket, type SocketConstructorOpts } from 'node:net';

/** Node's own name for the connection below a socket. */
interface Handled {
  _handle: object | null;
}

/** What clients send on open streams is thrown away as it comes, all of it into one place. */
const discarded = Buffer.allocUnsafe(16 * 1024);
const discard = () => true;
const ignore = () => {};

/**
 * Takes a request's connection out of Node's HTTP server and wraps it in a socket of its own. What is left of the
 * request looks to the server as if its client had gone, so that the server itself frees the parser, the request, the
 * response and its deadlines: an open stream keeps none of them, and nothing parses what its client sends meanwhile.
 *
 * Nothing may have been written yet. Undefined when the connection isn't this response's (a pipelined request) or has
 * gone. The server's `close` neither waits for the socket nor ends it: who takes it, ends it.
 */
export function takeSocket(response: ServerResponse): Socket | undefined {
  const served = response.socket as (Socket & Handled) | null;
  const handle = served?._handle ?? null;
  if (served === null || handle === null || !served.writable || served.writableLength > 0) {
    response.destroy();
    return undefined;
  }
  const onread = { buffer: discarded, callback: discard };
  // The server has turned Nagle's algorithm off when it accepted the connection.
  const taken = new Socket({ handle, onread, noDelay: true } as SocketConstructorOpts);
  served._handle = null;
  served.destroy();
  // Otherwise the server makes an error with a stack to tell a request that nobody asks any more.
  response.emit('finish');
  // A reset by the peer is an ordinary end, and one that has no more to say has gone.
  taken.on('error', ignore);
  taken.on('end', destroy);
  return taken;
}

function destroy(this: Socket): void {
  this.destroy();
}
