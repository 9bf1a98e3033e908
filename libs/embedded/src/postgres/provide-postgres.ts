import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { addressIn } from '../address-in.ts';
import type { Environment } from '../checkout.ts';
import { notOurs } from '../controlled-server.ts';
import { secretFile } from '../secret-file.ts';
import { timedStep, type StepListener } from '../step.ts';
import { askVersion, EmbeddedPostgres, logFileIn, type PostgresServer } from './embedded-postgres.ts';
import { findPostgresBinaries, type PostgresBinaries } from './postgres-binaries.ts';
import { prepareCluster } from './postgres-cluster.ts';
import { unprivilegedUser } from './unprivileged-user.ts';

export interface ProvidePostgresOptions {
  /** Holds the cluster, its password (mode 0600) and its log. */
  dataDir: string;
  env: Environment;
  onStep?: StepListener;
  /** false: no fsync, for tests. Default true. */
  isDurable?: boolean;
  /** A cluster that never ran, to copy instead of running initdb. Needs `password`. */
  template?: string;
  /** Instead of a random one kept in the data folder. */
  password?: string;
  maxConnections?: number;
}

/**
 * A running Postgres: the one at `DATABASE_URL`, else one of our own on the embedded binaries, else on installed ones.
 * Fails with a message that lists what was tried and what to type.
 */
export async function providePostgres(options: ProvidePostgresOptions): Promise<PostgresServer> {
  const url = options.env['DATABASE_URL'];
  if (url)
    return timedStep(
      options.onStep,
      (server) => `${server.description} answers`,
      () => externalPostgres(url),
    );
  await mkdir(options.dataDir, { recursive: true });
  const { found, tried } = await findPostgresBinaries(options.dataDir);
  if (!found) throw new Error(howToGetPostgres(tried));
  return startEmbedded(found, options);
}

async function startEmbedded(binaries: PostgresBinaries, options: ProvidePostgresOptions): Promise<PostgresServer> {
  const { dataDir, onStep } = options;
  const home = join(dataDir, 'postgres');
  // Another user than ours runs Postgres when we are root: it must be able to pass through, not to look around.
  if (process.getuid?.() === 0) await chmod(dataDir, 0o711);
  const user = await unprivilegedUser(binaries, dataDir);
  const password = options.password ?? (await secretFile(join(dataDir, 'secrets', 'postgres-password'))).value;
  const cluster = await timedStep(
    onStep,
    ({ isNew, hadOrphan }) =>
      isNew
        ? 'Postgres: database created'
        : `Postgres: database found${hadOrphan ? ', a server left behind was stopped' : ''}`,
    () =>
      prepareCluster({
        home,
        user,
        password,
        ...(options.template === undefined ? {} : { template: options.template }),
      }),
  );
  const portFile = join(dataDir, 'postgres-port');
  const server = new EmbeddedPostgres({
    user,
    password,
    folder: cluster.folder,
    logFile: logFileIn(dataDir, 'postgres'),
    preferredPort: Number(await readFile(portFile, 'utf8').catch(() => '')) || 0,
    isDurable: options.isDurable ?? true,
    maxConnections: options.maxConnections ?? 200,
  });
  await timedStep(
    onStep,
    () => `${server.description} runs on port ${server.port}`,
    () => server.start(),
  );
  await writeFile(portFile, `${server.port}\n`);
  return server;
}

/**
 * A cluster that never ran, for `providePostgres({ template })`: copying one takes a tenth of the time of initdb.
 * Returns its folder, inside `home`.
 */
export async function createClusterTemplate(home: string, password: string): Promise<string> {
  await mkdir(home, { recursive: true });
  const { found, tried } = await findPostgresBinaries(home);
  if (!found) throw new Error(howToGetPostgres(tried));
  const user = await unprivilegedUser(found, home);
  return (await prepareCluster({ home, user, password })).folder;
}

async function externalPostgres(url: string): Promise<PostgresServer> {
  const { host, port } = addressIn('DATABASE_URL', url, {
    protocols: ['postgres:', 'postgresql:'],
    form: 'postgres://user:password@host:5432/database',
  });
  const version = await askVersion(url).catch((error: Error) => {
    throw new Error(`DATABASE_URL: Postgres refused the connection: ${error.message}`, { cause: error });
  });
  if (version === undefined) {
    throw new Error(`DATABASE_URL: nothing answers at ${host}. Is Postgres running there?`);
  }
  return {
    kind: 'external',
    url,
    port: port ?? 5432,
    pid: undefined,
    description: `Postgres ${version} (DATABASE_URL)`,
    start: notOurs('Postgres'),
    restart: notOurs('Postgres'),
    kill: notOurs('Postgres'),
    pause: notOurs('Postgres'),
    resume: notOurs('Postgres'),
    stop: () => Promise.resolve(),
  };
}

function howToGetPostgres(tried: string[]): string {
  return [
    'No Postgres was found. Tried:',
    '  - DATABASE_URL: not set',
    ...tried.map((line) => `  - ${line}`),
    'Any one of these helps:',
    '  npm ci                                (brings embedded binaries on Linux x64)',
    '  apt-get install postgresql            (Debian, Ubuntu; Boardwire runs its own cluster)',
    '  docker run -d -p 5432:5432 -e POSTGRES_PASSWORD=secret postgres:17-alpine',
    '      and DATABASE_URL=postgres://postgres:secret@127.0.0.1:5432/postgres npm start',
  ].join('\n');
}
