import type { Socket } from 'node:net';

/** How long one side may still read after the other has gone for good. */
const lingerMs = 5_000;
/** A peer that vanished without a word is noticed by the system after this. */
const keepAliveAfterMs = 30_000;

/**
 * Joins two sockets into one connection. Nothing is kept here: who reads slowly holds back who writes. A side that
 * ends (a half-closed connection) is passed on as such; one that breaks takes the other with it.
 */
export function splice(client: Socket, upstream: Socket): void {
  for (const socket of [client, upstream]) {
    socket.setNoDelay(true);
    socket.setKeepAlive(true, keepAliveAfterMs);
    // What broke is seen at its close.
    socket.on('error', () => undefined);
  }
  client.pipe(upstream);
  upstream.pipe(client);
  upstream.once('end', () => lingerThenCut(client));
  client.once('close', () => follow(client, upstream));
  upstream.once('close', () => follow(upstream, client));
  // Whoever went while the two were brought together tells so once only.
  if (client.destroyed) upstream.destroy();
}

/** A side that has said all it had is heard to the end; a side that broke was not, and the other must notice. */
function follow(gone: Socket, other: Socket): void {
  if (other.destroyed) return;
  if (!gone.readableEnded) {
    other.resetAndDestroy();
    return;
  }
  // Unread bytes at a close would make the system reset the connection, and the last ones written would be lost.
  other.resume();
  lingerThenCut(other);
}

function lingerThenCut(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), lingerMs).unref();
  socket.once('close', () => clearTimeout(timer));
}
