import { existsSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { checkoutFolder, type Environment, type NatsServer } from '@boardwire/embedded';
import type { ServiceSpec } from './hosted-service.ts';
import { serviceKinds, serviceSources, type ServiceKind } from './service-name.ts';
import type { SitePorts } from './site-ports.ts';
import type { SiteSecrets } from './site-secrets.ts';

export interface Composition {
  /** The user's settings; what the site decides itself goes over them. */
  env: Environment;
  /** Where the site is kept: data, secrets, logs. */
  dataDir: string;
  ports: SitePorts;
  secrets: SiteSecrets;
  nats: NatsServer;
  /** `DATABASE_URL` by schema; of those who run without owning it, by `<schema>/runner`. */
  databaseUrls: Readonly<Record<string, string>>;
  /** Where services write their log; undefined: to standard output. */
  logFile?: string;
}

/** The environment of every service of a site: who they are, where the others are. */
export function composeServices(composition: Composition): ServiceSpec[] {
  const shared = sharedEnvironment(composition);
  return serviceKinds.flatMap((kind) =>
    composition.ports.internal[kind].map((port, index) => {
      const publicPort = kind === 'gateway' ? composition.ports.public[index] : undefined;
      const host = gatewayHost(composition);
      return {
        name: index === 0 ? kind : `${kind}-${index + 1}`,
        kind,
        internalUrl: localUrl(port),
        ...(publicPort === undefined ? {} : { publicUrl: localUrl(publicPort, host) }),
        env: {
          ...shared,
          INTERNAL_PORT: String(port),
          ...databaseOf(kind, composition),
          ...(publicPort === undefined ? {} : gatewayEnvironment(composition, host, publicPort)),
        },
      };
    }),
  );
}

function sharedEnvironment(composition: Composition): Record<string, string | undefined> {
  const { env, dataDir, ports, secrets, nats, logFile } = composition;
  const first = (kind: ServiceKind): string => localUrl(ports.internal[kind][0] ?? 0);
  return {
    ...env,
    DATABASE_URL: undefined,
    DATABASE_OWNER_URL: undefined,
    HOST: '127.0.0.1',
    NATS_URL: nats.url,
    NATS_TOKEN: nats.token,
    INTERNAL_SECRET: secrets.internal,
    ADMIN_PASSWORD: secrets.admin.value,
    GATEWAY_INTERNAL_URL: first('gateway'),
    CHAT_URL: first('chat'),
    FEDERATION_URL: first('federation'),
    AUDIT_URL: first('audit'),
    APPLETS_URL: first('applets'),
    // Every service may need to name the site's public address, in documents and links.
    PUBLIC_URL: env['PUBLIC_URL'] || `http://localhost:${ports.proxy ?? ports.public[0]}`,
    LOG_FILE: logFile,
    DATA_DISK_PATH: env['DATA_DISK_PATH'] || dataDir,
  };
}

/** The address that the world reaches: of the only gateway, or of the proxy before all of them. */
export function publicHost(env: Environment): string {
  return env['PUBLIC_HOST'] || '0.0.0.0';
}

/** Behind the proxy, nobody else is to reach a gateway. */
function gatewayHost({ env, ports }: Composition): string {
  return ports.proxy === undefined ? publicHost(env) : '127.0.0.1';
}

/** The proxy asks a few times a second whether a gateway still wants connections. */
const behindProxyLameDuckMs = 400;

function gatewayEnvironment({ env, ports }: Composition, host: string, port: number): Record<string, string> {
  return {
    PORT: String(port),
    PUBLIC_HOST: host,
    ...(ports.proxy === undefined || env['LAME_DUCK_MS'] ? {} : { LAME_DUCK_MS: String(behindProxyLameDuckMs) }),
    ...consoleFolder(env),
  };
}

/** Tests run without a built console; the gateway then says how to build it. */
function consoleFolder(env: Environment): Record<string, string> {
  const built = join(checkoutFolder, 'console', 'dist');
  const folder = env['CONSOLE_DIR'] || (existsSync(join(built, 'index.html')) ? built : undefined);
  return folder === undefined ? {} : { CONSOLE_DIR: folder };
}

function databaseOf(kind: ServiceKind, { databaseUrls }: Composition): Record<string, string | undefined> {
  const { schema } = serviceSources[kind];
  if (schema === undefined) return {};
  const [owner, runner] = [databaseUrls[schema], databaseUrls[`${schema}/runner`]];
  return runner === undefined ? { DATABASE_URL: owner } : { DATABASE_URL: runner, DATABASE_OWNER_URL: owner };
}

/** Where this machine reaches the port; one that listens on all addresses is on the loopback one too. */
export function localUrl(port: number, host?: string): string {
  const isAny = !host || ['0.0.0.0', '::', 'localhost'].includes(host);
  return `http://${isAny ? '127.0.0.1' : isIPv6(host) ? `[${host}]` : host}:${port}`;
}
