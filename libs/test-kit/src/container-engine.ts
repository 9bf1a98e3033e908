import { existsSync } from 'node:fs';
import { request } from 'node:http';

/** An engine that is slower than this is of no use to tests, and most machines have none. */
const answerTimeoutMs = 300;
const usualSocket = '/var/run/docker.sock';

/** Images of the containers that tests start; as in docker-compose.yml. */
export const images = {
  postgres: process.env['POSTGRES_IMAGE'] || 'postgres:17-alpine',
  nats: process.env['NATS_IMAGE'] || 'nats:2.11-alpine',
};

/** Where a suite's servers run. */
export type ServerHome = 'embedded' | 'containers';

let chosen: Promise<ServerHome> | undefined;

/**
 * Containers when a Docker engine answers and has both images already, embedded servers otherwise: nothing is pulled,
 * because a test run must not depend on a registry. `BOARDWIRE_TEST_SERVERS` (`embedded`, `containers`, `auto`) decides
 * instead; containers that were asked for and can't be had are an error, not a silent change.
 */
export function serverHome(): Promise<ServerHome> {
  return (chosen ??= choose(process.env['BOARDWIRE_TEST_SERVERS'] || 'auto'));
}

async function choose(wanted: string): Promise<ServerHome> {
  if (wanted === 'embedded') return 'embedded';
  if (wanted !== 'auto' && wanted !== 'containers') {
    throw new Error(`BOARDWIRE_TEST_SERVERS=${wanted}: embedded, containers and auto are known`);
  }
  const reason = await whyNoContainers();
  if (reason === undefined) return 'containers';
  if (wanted === 'auto') return 'embedded';
  throw new Error(`BOARDWIRE_TEST_SERVERS=containers: ${reason}`);
}

/** Undefined when containers can be started; asked of the engine, in at most 0.3 s. */
export async function whyNoContainers(): Promise<string | undefined> {
  const address = engineAddress();
  if (address === undefined) return `no Docker engine at ${process.env['DOCKER_HOST'] || usualSocket}`;
  const names = Object.values(images);
  const answers = await Promise.all(names.map((image) => status(address, `/images/${image}/json`)));
  if (answers.includes(undefined)) return `the Docker engine did not answer within ${answerTimeoutMs} ms`;
  const missing = names.filter((_, index) => answers[index] !== 200);
  return missing.length === 0 ? undefined : `the Docker engine has no image ${missing.join(', ')}`;
}

/** HTTP status of the engine's answer, or undefined when none came. */
function status(address: EngineAddress, path: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(answerTimeoutMs);
    const outgoing = request({ ...address, path, signal, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    outgoing.once('error', () => resolve(undefined));
    outgoing.end();
  });
}

type EngineAddress = { socketPath: string } | { host: string; port: number };

function engineAddress(): EngineAddress | undefined {
  const given = process.env['DOCKER_HOST'];
  if (!given) return existsSync(usualSocket) ? { socketPath: usualSocket } : undefined;
  const url = new URL(given);
  if (url.protocol === 'unix:') return { socketPath: url.pathname };
  return url.protocol === 'tcp:' ? { host: url.hostname, port: Number(url.port) || 2375 } : undefined;
}
