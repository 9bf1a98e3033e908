import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { provisionSchemas } from '@boardwire/database';
import {
  checkoutFolder,
  provideNats,
  providePostgres,
  timedStep,
  type Environment,
  type NatsServer,
  type PostgresServer,
  type StepListener,
} from '@boardwire/embedded';
import { composeServices, localUrl, publicHost } from './compose-services.ts';
import type { HostedService, ServiceSpec } from './hosted-service.ts';
import { InProcessService, loadBoot } from './in-process-service.ts';
import { ProcessService } from './process-service.ts';
import { openProxy, type SiteProxy } from './proxy/site-proxy.ts';
import { serviceSources } from './service-name.ts';
import { choosePorts, type SitePorts } from './site-ports.ts';
import { siteSecrets, type AdminPassword } from './site-secrets.ts';
import { writeServicesFile } from './services-file.ts';
import { siteMark, SiteState, stopOrphanServices } from './site-state.ts';
import { stopSite } from './stop-site.ts';

export interface SiteOptions {
  /** Where everything of the site is kept: data, secrets, logs. Made when missing. */
  dataDir: string;
  /** The user's settings; see `.env.example`. */
  env?: Environment;
  /** `processes`: each service in a process of its own, from its dist. Default `one-process`. */
  mode?: 'one-process' | 'processes';
  /** Of `processes`: where a service's build is, asked each time it is started. Default this checkout. */
  checkout?: (service: string) => string;
  /** `any`: free ports, whatever `PORT` says; for tests. Default `fixed`. */
  ports?: 'fixed' | 'any';
  /** Default 1. Each has its own public port; the first one has `PORT`, unless the proxy has it. */
  gateways?: number;
  /** A proxy of the site's own has the public address and passes connections on to the gateways. */
  hasProxy?: boolean;
  /** Servers of the caller: used, and not stopped with the site. */
  postgres?: PostgresServer;
  nats?: NatsServer;
  onStep?: StepListener;
  /** Something slow begins, or something happened while running: a service was restarted. */
  onEvent?: (text: string) => void;
}

export interface Site {
  /** Address of the proxy, else of the first gateway, without a slash at the end. */
  readonly publicUrl: string;
  readonly adminPassword: AdminPassword;
  readonly postgres: PostgresServer;
  readonly nats: NatsServer;
  /** By name: gateway (gateway-2 …), chat, federation, audit, applets. */
  readonly services: Readonly<Record<string, HostedService>>;
  /** Signs tokens between services; for tests that ask internal routes. */
  readonly internalSecret: string;
  readonly dataDir: string;
  /** Drains the services, then stops the servers that the site started, within 5 s. The same promise at every call. */
  stop(): Promise<void>;
}

const stores = Object.values(serviceSources).flatMap(({ schema, runner }) =>
  schema === undefined ? [] : [{ schema, runner }],
);
const schemas = stores.map(({ schema }) => schema);

const runnerOf = (schema: string) => `${schema}-runner`;
/** Each role of the database has a password of its own. */
const roles = stores.flatMap(({ schema, runner }) => (runner === undefined ? [schema] : [schema, runnerOf(schema)]));

/**
 * Starts a whole site: servers, schemas, services. When anything fails, what was already started is stopped again and
 * the error is thrown.
 */
export async function startSite(options: SiteOptions): Promise<Site> {
  const dataDir = resolve(options.dataDir);
  const started: Partial<StartedSite> = {};
  try {
    await mkdir(join(dataDir, 'logs'), { recursive: true });
    return await start({ ...options, dataDir }, started);
  } catch (error) {
    await stopSite({ services: [], ownServers: [], ...started });
    throw error;
  }
}

interface StartedSite {
  services: HostedService[];
  proxy: SiteProxy;
  /** Servers to stop together with the site. */
  ownServers: { stop(): Promise<void> }[];
}

async function start(options: SiteOptions, started: Partial<StartedSite>): Promise<Site> {
  const { dataDir, onStep, env = {}, mode = 'one-process', gateways = 1, hasProxy = false } = options;
  await stopOrphanServices(dataDir);
  const ports = await choosePorts(env, { gateways, hasProxy, ports: options.ports ?? 'fixed' });
  const secrets = await siteSecrets(dataDir, env, roles);
  started.ownServers = [];
  const { postgres, nats } = await startServers(options, env, started.ownServers);
  const databaseUrls = await timedStep(onStep, 'Database schemas and roles ready', () =>
    makeSchemas(postgres, secrets.database),
  );
  const logFile = mode === 'one-process' ? join(dataDir, 'logs', 'site.log') : undefined;
  const specs = composeServices({
    env,
    dataDir,
    ports,
    secrets,
    nats,
    databaseUrls,
    ...(logFile === undefined ? {} : { logFile }),
  });
  await writeServicesFile(dataDir, specs, env);
  const publicUrl = publicUrlOf(env, ports);
  const state = new SiteState(dataDir, { mode, publicUrl });
  const services = specs.map((spec) => hostService(spec, mode, options, state));
  started.services = services;
  state.follow(services);
  // One after the other: they share most modules, and Jest's loader can't link those twice at once.
  if (mode === 'one-process') for (const { kind } of specs) await loadBoot(kind);
  await Promise.all(services.map((service) => timedStep(onStep, `${service.name} ready`, () => service.start())));
  if (ports.proxy !== undefined) {
    started.proxy = await openProxy({ host: publicHost(env), port: ports.proxy, services });
  }
  await state.write();
  const { ownServers, proxy } = started;
  let stopping: Promise<void> | undefined;
  return {
    publicUrl,
    dataDir,
    postgres,
    nats,
    adminPassword: secrets.admin,
    internalSecret: secrets.internal,
    services: Object.fromEntries(services.map((service) => [service.name, service])),
    stop: () => (stopping ??= stopSite({ services, ownServers, proxy }).then(() => state.remove())),
  };
}

/** Where this machine reaches the site. */
function publicUrlOf(env: Environment, ports: SitePorts): string {
  return localUrl(ports.proxy ?? ports.public[0]!, publicHost(env));
}

/** Both at once; a server that came up while the other one failed is stopped like the rest. */
async function startServers(
  options: SiteOptions,
  env: Environment,
  ownServers: { stop(): Promise<void> }[],
): Promise<{ postgres: PostgresServer; nats: NatsServer }> {
  const { dataDir, onStep, onEvent } = options;
  const own = <Server extends { stop(): Promise<void> }>(server: Server): Server => {
    ownServers.push(server);
    return server;
  };
  const common = { dataDir, env, ...(onStep === undefined ? {} : { onStep }) };
  const [postgres, nats] = await Promise.allSettled([
    options.postgres ?? providePostgres(common).then(own),
    options.nats ?? provideNats({ ...common, ...(onEvent === undefined ? {} : { onSlow: onEvent }) }).then(own),
  ]);
  if (postgres.status === 'rejected') throw postgres.reason;
  if (nats.status === 'rejected') throw nats.reason;
  return { postgres: postgres.value, nats: nats.value };
}

async function makeSchemas(
  postgres: PostgresServer,
  passwords: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  try {
    return await provisionSchemas(
      postgres.url,
      stores.map(({ schema, runner }) => ({
        schema,
        role: `boardwire_${schema}`,
        password: passwords[schema] ?? '',
        ...(runner === undefined ? {} : { runner: { ...runner, password: passwords[runnerOf(schema)] ?? '' } }),
      })),
    );
  } catch (error) {
    if (postgres.kind !== 'external') throw error;
    const reason = (error as Error).message;
    throw new Error(
      `DATABASE_URL: its role can't make the schemas ${schemas.join(', ')}: ${reason}. ` +
        'Make it the owner of the database, or GRANT CREATE ON DATABASE to it.',
      { cause: error },
    );
  }
}

function hostService(
  spec: ServiceSpec,
  mode: 'one-process' | 'processes',
  { dataDir, onEvent, checkout = () => checkoutFolder }: SiteOptions,
  state: SiteState,
): HostedService {
  if (mode === 'one-process') return new InProcessService(spec);
  return new ProcessService(spec, {
    checkout,
    logFile: join(dataDir, 'logs', `${spec.name}.log`),
    mark: siteMark(dataDir),
    onEvent: (text) => onEvent?.(text),
    onPid: () => void state.write(),
  });
}
