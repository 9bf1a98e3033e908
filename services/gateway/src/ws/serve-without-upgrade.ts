import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

const ofUpgrade = new Set(['upgrade', 'connection', 'http2-settings']);

/**
 * An offer to speak something else may be ignored (RFC 9110, 7.8), and Java's own client offers HTTP/2 with its first
 * request to every plain address. Node hands each offer to the `upgrade` listener, so the request goes in again without.
 */
export function serveWithoutUpgrade(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  if (socket.destroyed) return;
  // Behind a request that is still being answered: a second answer would be queued where nobody looks for it.
  const { _httpMessage: answering } = socket as Duplex & { _httpMessage?: ServerResponse | null };
  if (answering !== undefined && answering !== null) {
    answering.once('close', () => serveWithoutUpgrade(server, request, socket, head));
    return;
  }
  const { method, url, httpVersion, rawHeaders } = request;
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (!ofUpgrade.has(rawHeaders[at]!.toLowerCase())) text += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\r\n`;
  }
  socket.unshift(Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}
