import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the range that systems give to outgoing connections: a server that was stopped must find its port free when
 * it comes back, and not taken by somebody's connection to a third party.
 */
const portMin = 20_000;
const portMax = 31_999;
const attemptsMax = 100;
/** Each process goes round from a place of its own, so that two of them hardly ever think of the same port. */
let candidate = randomInt(portMin, portMax + 1);

/**
 * A TCP port that was free on the loopback address a moment ago, and that this process was not given lately. Nothing
 * reserves it: whoever listens on it must be ready to be told that it was taken meanwhile.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const port = candidate;
    candidate = port === portMax ? portMin : port + 1;
    // oxlint-disable-next-line no-await-in-loop -- the first that fits
    if (await isPortFree(port, host)) return port;
  }
  throw new Error(`no free port between ${portMin} and ${portMax}`);
}

/** Whether something could listen on the port now. */
export async function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return (await whyPortIsNotFree(port, host)) === undefined;
}

/** The system's code for why nothing can listen there now, such as `EADDRINUSE`; undefined when something can. */
export function whyPortIsNotFree(port: number, host = '127.0.0.1'): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
