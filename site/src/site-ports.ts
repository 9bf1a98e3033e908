import { freePort, isPortFree, whyPortIsNotFree, type Environment } from '@boardwire/embedded';
import { serviceKinds, type ServiceKind } from './service-name.ts';
import { UserError } from './user-error.ts';

export interface SitePorts {
  /** The site's own proxy before its gateways, when it has one. */
  proxy?: number;
  /** One for each gateway. */
  public: number[];
  internal: Record<ServiceKind, number[]>;
}

export const defaultPort = 8_080;
const defaultInternalBase = 9_100;
const unprivilegedMin = 1_024;
const portMax = 65_535;
/** Behind the proxy, gateways listen from here on above the internal base: at the same ports after every restart. */
const behindProxyOffset = 20;
export const gatewaysMax = 8;

export interface PortsWanted {
  gateways: number;
  /** `any`: free ones, for tests. */
  ports: 'any' | 'fixed';
  hasProxy?: boolean;
}

/**
 * The ports a site listens on: `PORT` for the public address; internal ports are `INTERNAL_PORT_BASE` + 1 … 5, which
 * follows `PORT` so that two sites on one machine don't meet.
 */
export async function choosePorts(env: Environment, wanted: PortsWanted): Promise<SitePorts> {
  return wanted.ports === 'any' ? anyPorts(wanted) : fixedPorts(env, wanted);
}

async function anyPorts({ gateways, hasProxy }: PortsWanted): Promise<SitePorts> {
  const result: SitePorts = { public: [], internal: { gateway: [], chat: [], federation: [], audit: [], applets: [] } };
  for (const kind of serviceKinds) {
    for (let count = kind === 'gateway' ? gateways : 1; count > 0; count--)
      result.internal[kind].push(await freePort());
  }
  for (let count = gateways; count > 0; count--) result.public.push(await freePort());
  return hasProxy === true ? { ...result, proxy: await freePort() } : result;
}

async function fixedPorts(env: Environment, { gateways, hasProxy }: PortsWanted): Promise<SitePorts> {
  const port = portOf(env, 'PORT', defaultPort);
  const base = portOf(env, 'INTERNAL_PORT_BASE', internalBaseFor(port));
  if (base + behindProxyOffset + gatewaysMax > portMax) {
    throw new UserError(`INTERNAL_PORT_BASE=${base} leaves no room for the internal ports below ${portMax}.`);
  }
  const internal = { gateway: [], chat: [], federation: [], audit: [], applets: [] } as SitePorts['internal'];
  serviceKinds.forEach((kind, index) => internal[kind].push(base + 1 + index));
  for (let extra = 1; extra < gateways; extra++) internal.gateway.push(base + serviceKinds.length + extra);
  const behind = Array.from({ length: gateways }, (_, index) => base + behindProxyOffset + 1 + index);
  const result = hasProxy === true ? { proxy: port, public: behind, internal } : { public: [port], internal };
  while (result.public.length < gateways) result.public.push(await freePort());
  await assertFree(result, port, env['PUBLIC_HOST'] || '0.0.0.0');
  return result;
}

/** 9100 for 8080, 9200 for 8081 …; where that leads out of the range, ten thousand beside the port. */
export function internalBaseFor(port: number): number {
  const base = defaultInternalBase + 100 * (port - defaultPort);
  if (base >= unprivilegedMin && base < portMax - 100) return base;
  return port < portMax - 20_000 ? port + 10_000 : port - 10_000;
}

async function assertFree(ports: SitePorts, port: number, host: string): Promise<void> {
  const reason = await whyPortIsNotFree(port, host);
  if (reason !== undefined) throw new UserError(publicPortMessage(port, host, reason));
  const behind = ports.proxy === undefined ? [] : ports.public;
  for (const internal of [...Object.values(ports.internal).flat(), ...behind]) {
    if (await isPortFree(internal)) continue;
    throw new UserError(
      `Internal port ${internal} is taken by another program. Choose others: INTERNAL_PORT_BASE=19100 npm start`,
    );
  }
}

function publicPortMessage(port: number, host: string, reason: string): string {
  if (reason === 'EADDRINUSE') {
    const other = port < portMax ? port + 1 : defaultPort;
    return `Port ${port} is taken by another program. Choose another one: PORT=${other} npm start`;
  }
  if (reason === 'EACCES') {
    return `Port ${port} is not open to this user. Choose one from ${unprivilegedMin} on: PORT=${defaultPort} npm start`;
  }
  return `PUBLIC_HOST=${host} is not an address of this machine that a site can listen on (${reason}). Unset it to listen on all.`;
}

function portOf(env: Environment, name: string, fallback: number): number {
  const text = env[name];
  if (!text) return fallback;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > portMax) {
    throw new UserError(`${name}=${text} is not a port: give a number from 1 to 65535.`);
  }
  return port;
}
