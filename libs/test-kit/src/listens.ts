import { connect } from 'node:net';

/** Resolves when somebody takes connections on the loopback port, and rejects when nobody does. */
export function listens(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port }, () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}
