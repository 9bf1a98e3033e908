import type pg from 'pg';

/**
 * Pool options: a listener for `error` on every connection, for as long as it lives. The pool itself takes its own
 * listener away while a connection is lent, and whoever borrows it can only add one a microtask later; a server that
 * says good-bye in the very packet in which it says that it is ready would end the process in between. Nothing is lost
 * by not listening to what it says: the next statement on the connection rejects.
 */
export const heardErrors: Pick<pg.PoolConfig, 'onConnect'> = {
  onConnect: (client) => void client.on('error', () => undefined),
};
