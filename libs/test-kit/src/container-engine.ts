import { existsSync } from 'node:fs';
import { request } from 'node:http';

const answerTimeoutMs = 1_500;
const usualSocket = '/var/run/docker.sock';

/** Images of the containers that tests start; as in docker-compose.yml. */
export const images = {
  postgres: process.env['POSTGRES_IMAGE'] || 'postgres:17-alpine',
  nats: process.env['NATS_IMAGE'] || 'nats:2.11-alpine',
};

let usable: Promise<boolean> | undefined;

/**
 * Whether tests run their servers in containers: a Docker engine answers and has both images already. Nothing is
 * pulled, because a test run must not depend on a registry. `BOARDWIRE_TEST_SERVERS=embedded` says no.
 */
export function canUseContainers(): Promise<boolean> {
  return (usable ??= ask());
}

async function ask(): Promise<boolean> {
  if (process.env['BOARDWIRE_TEST_SERVERS'] === 'embedded') return false;
  const answers = await Promise.all(Object.values(images).map((image) => status(`/images/${image}/json`)));
  return answers.every((code) => code === 200);
}

/** HTTP status of the engine's answer, or undefined when no engine is there. */
function status(path: string): Promise<number | undefined> {
  const address = engineAddress();
  if (address === undefined) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const outgoing = request({ ...address, path, timeout: answerTimeoutMs }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    outgoing.once('timeout', () => outgoing.destroy());
    outgoing.once('error', () => resolve(undefined));
    outgoing.end();
  });
}

function engineAddress(): { socketPath: string } | { host: string; port: number } | undefined {
  const given = process.env['DOCKER_HOST'];
  if (!given) return existsSync(usualSocket) ? { socketPath: usualSocket } : undefined;
  const url = new URL(given);
  if (url.protocol === 'unix:') return { socketPath: url.pathname };
  return url.protocol === 'tcp:' ? { host: url.hostname, port: Number(url.port) || 2375 } : undefined;
}
