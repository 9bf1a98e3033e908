import {
  natsAnswers,
  postgresAnswers,
  provideNats,
  providePostgres,
  type NatsServer,
  type PostgresServer,
} from '@boardwire/embedded';
import { clusterTemplate, testPassword } from './cluster-template.ts';
import { images, serverHome, type ServerHome } from './container-engine.ts';
import { ContainerServer } from './container-server.ts';

/** A server for tests and how to get rid of it with its data. */
export interface TestServer<Server> {
  server: Server;
  remove(): Promise<void>;
}

const maxConnections = 300;
const testToken = 'boardwire-test-token';

/** In a container where that is possible, else embedded; without fsync either way. */
export async function startPostgres(folder: string, home?: ServerHome): Promise<TestServer<PostgresServer>> {
  if ((home ?? (await serverHome())) === 'containers') return postgresContainer();
  const template = await clusterTemplate();
  const server = await providePostgres({
    dataDir: folder,
    env: {},
    isDurable: false,
    password: testPassword,
    template,
    maxConnections,
  });
  return { server, remove: () => server.stop() };
}

/** A server that happens to be named in the environment is not for tests: they kill what they use. */
export async function startNats(folder: string, home?: ServerHome): Promise<TestServer<NatsServer>> {
  if ((home ?? (await serverHome())) === 'containers') return natsContainer();
  const server = await provideNats({ dataDir: folder, env: { ...process.env, NATS_URL: undefined } });
  return { server, remove: () => server.stop() };
}

async function postgresContainer(): Promise<TestServer<PostgresServer>> {
  const url = (port: number): string => `postgres://postgres:${testPassword}@127.0.0.1:${port}/postgres`;
  const container = await ContainerServer.run({
    image: images.postgres,
    port: 5_432,
    command: ['postgres', '-c', 'fsync=off', '-c', 'full_page_writes=off', '-c', `max_connections=${maxConnections}`],
    environment: { POSTGRES_PASSWORD: testPassword, POSTGRES_INITDB_ARGS: '--no-sync --locale=C --encoding=UTF8' },
    answers: (port) => postgresAnswers(url(port)),
  });
  return { server: Object.assign(container, { url: url(container.port) }), remove: () => container.remove() };
}

async function natsContainer(): Promise<TestServer<NatsServer>> {
  const container = await ContainerServer.run({
    image: images.nats,
    port: 4_222,
    command: ['--jetstream', '--store_dir', '/tmp/jetstream', '--auth', testToken],
    environment: {},
    answers: (port) => natsAnswers('127.0.0.1', port),
  });
  const url = `nats://127.0.0.1:${container.port}`;
  const server = Object.assign(container, { url, token: testToken, version: images.nats.split(':')[1] ?? '' });
  return { server, remove: () => container.remove() };
}
