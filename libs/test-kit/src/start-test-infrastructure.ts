import { rm } from 'node:fs/promises';
import { provideNats, providePostgres, type NatsServer, type PostgresServer } from '@boardwire/embedded';
import { clusterTemplate, testPassword } from './cluster-template.ts';
import { testFolder } from './test-folder.ts';

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
 * Starts real servers on ports of their own, without fsync, in about 0.3 s. They end with this process, also when it
 * is killed.
 */
export async function startTestInfrastructure(): Promise<TestInfrastructure> {
  const folder = await testFolder();
  const [postgres, nats] = await Promise.all([startPostgres(folder), startNats(folder)]);
  const env = { DATABASE_URL: postgres.url, NATS_URL: nats.url, NATS_TOKEN: nats.token ?? '' };
  return { postgres, nats, folder, env, stop: stopOnce([postgres, nats], folder) };
}

/** Only a Postgres. */
export async function startTestPostgres(): Promise<Pick<TestInfrastructure, 'postgres' | 'folder' | 'stop'>> {
  const folder = await testFolder();
  const postgres = await startPostgres(folder);
  return { postgres, folder, stop: stopOnce([postgres], folder) };
}

/** Only a nats-server. */
export async function startTestNats(): Promise<Pick<TestInfrastructure, 'nats' | 'folder' | 'stop'>> {
  const folder = await testFolder();
  const nats = await startNats(folder);
  return { nats, folder, stop: stopOnce([nats], folder) };
}

async function startPostgres(folder: string): Promise<PostgresServer> {
  const template = await clusterTemplate();
  return providePostgres({
    dataDir: folder,
    env: {},
    isDurable: false,
    password: testPassword,
    template,
    maxConnections: 300,
  });
}

/** A server that happens to be named in the environment is not for tests: they kill what they use. */
function startNats(folder: string): Promise<NatsServer> {
  return provideNats({ dataDir: folder, env: { ...process.env, NATS_URL: undefined } });
}

function stopOnce(servers: { stop(): Promise<void> }[], folder: string): () => Promise<void> {
  let stopping: Promise<void> | undefined;
  return () =>
    (stopping ??= Promise.all(servers.map((server) => server.stop())).then(() =>
      rm(folder, { recursive: true, force: true }),
    ));
}
