import { rm } from 'node:fs/promises';
import type { NatsServer, PostgresServer } from '@boardwire/embedded';
import type { ServerHome } from './container-engine.ts';
import { testFolder } from './test-folder.ts';
import { startNats, startPostgres } from './test-servers.ts';

/** A Postgres and a nats-server for one test file and nobody else: killing them disturbs no other suite. */
export interface TestInfrastructure {
  readonly postgres: PostgresServer;
  readonly nats: NatsServer;
  /** `DATABASE_URL` (the administrator's), `NATS_URL` and `NATS_TOKEN`, for a service's environment. */
  readonly env: { DATABASE_URL: string; NATS_URL: string; NATS_TOKEN: string };
  /** A folder that disappears with the servers. */
  readonly folder: string;
  /** Stops both servers and removes their data. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts real servers on ports of their own, without fsync: containers where a Docker engine has the images, else
 * embedded ones in about 0.3 s, which end with this process, also when it is killed.
 *
 * @param home instead of what `BOARDWIRE_TEST_SERVERS` and the machine say
 */
export async function startTestInfrastructure(home?: ServerHome): Promise<TestInfrastructure> {
  const folder = await testFolder();
  const [postgres, nats] = await Promise.all([startPostgres(folder, home), startNats(folder, home)]);
  const env = { DATABASE_URL: postgres.server.url, NATS_URL: nats.server.url, NATS_TOKEN: nats.server.token ?? '' };
  const stop = stopOnce([postgres, nats], folder);
  return { postgres: postgres.server, nats: nats.server, folder, env, stop };
}

/** Only a Postgres. */
export async function startTestPostgres(): Promise<Pick<TestInfrastructure, 'postgres' | 'folder' | 'stop'>> {
  const folder = await testFolder();
  const postgres = await startPostgres(folder);
  return { postgres: postgres.server, folder, stop: stopOnce([postgres], folder) };
}

/** Only a nats-server. */
export async function startTestNats(): Promise<Pick<TestInfrastructure, 'nats' | 'folder' | 'stop'>> {
  const folder = await testFolder();
  const nats = await startNats(folder);
  return { nats: nats.server, folder, stop: stopOnce([nats], folder) };
}

function stopOnce(servers: { remove(): Promise<void> }[], folder: string): () => Promise<void> {
  let stopping: Promise<void> | undefined;
  return () =>
    (stopping ??= Promise.all(servers.map((server) => server.remove())).then(() =>
      rm(folder, { recursive: true, force: true }),
    ));
}
