import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the range that systems give to outgoing connections: a server that was stopped must find its port free when
 * it comes back, and not taken by somebody's connection to a third party.
 */
const defaultRange = '20000-31999';
const rangePattern = /^(\d{4,5})-(\d{4,5})$/;
const attemptsMax = 100;
let candidate: number | undefined;

/**
 * A TCP port that was free on the loopback address a moment ago, and that was not given here lately. Nothing reserves
 * it: whoever listens on it must be ready to be told that it was taken meanwhile. Processes that choose at the same time
 * keep apart by ranges of their own, `BOARDWIRE_PORT_RANGE`.
 *
 * @throws when the range is not written as `20000-31999`, or nothing in it is free
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const { min, max } = portRange();
  candidate ??= randomInt(min, max + 1);
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const port: number = candidate;
    candidate = port === max ? min : port + 1;
    // oxlint-disable-next-line no-await-in-loop -- the first that fits
    if (await isPortFree(port, host)) return port;
  }
  throw new Error(`no free port between ${min} and ${max}`);
}

function portRange(): { min: number; max: number } {
  const text = process.env['BOARDWIRE_PORT_RANGE'] || defaultRange;
  const [, min, max] = (rangePattern.exec(text) ?? []).map(Number);
  if (min === undefined || max === undefined || min > max || max > 65_535) {
    throw new Error(`BOARDWIRE_PORT_RANGE=${text} is no range of ports: write it like ${defaultRange}`);
  }
  return { min, max };
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
