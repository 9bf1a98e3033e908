import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BoardwireClient } from '@boardwire/client';
import type { Environment } from '@boardwire/embedded';
import { startSite, type Site } from '../start-site.ts';
import { FrontDoor } from './front-door.ts';
import { SocksProxy } from './socks-proxy.ts';

export const siteNames = ['host', 'relay', 'pi'] as const;
export type SiteName = (typeof siteNames)[number];

export interface DemoSite {
  name: SiteName;
  /** Of the administrator. */
  client: BoardwireClient;
}

/** Three whole sites on this machine; pi can dial the others and nobody can dial it. */
export interface ThreeSites {
  host: DemoSite;
  relay: DemoSite;
  pi: DemoSite;
  all: DemoSite[];
  /** Between pi and the others. */
  cut(...others: ('host' | 'relay')[]): void;
  heal(...others: ('host' | 'relay')[]): void;
  stop(): Promise<void>;
}

interface Opened {
  folder?: string;
  doors: FrontDoor[];
  proxy?: SocksProxy;
  /** Also those that are only starting. */
  sites: Promise<Site>[];
  clients: BoardwireClient[];
}

/** Starts them; when that fails, or is given up, nothing of them stays. */
export async function startThreeSites(say: (text: string) => void, opened: Opened): Promise<ThreeSites> {
  opened.folder = await mkdtemp(join(tmpdir(), 'boardwire-federation-'));
  const doors = { host: await FrontDoor.open(), relay: await FrontDoor.open() };
  opened.doors.push(doors.host, doors.relay);
  const proxy = (opened.proxy = await SocksProxy.open());
  const sites: Partial<Record<SiteName, DemoSite>> = {};
  for (const name of siteNames) {
    const door = name === 'pi' ? undefined : doors[name];
    const route = door === undefined ? { FEDERATION_PROXY: proxy.url, FEDERATION_PROXY_FOR: 'all' } : {};
    // oxlint-disable-next-line no-await-in-loop -- three at once would take longer: each starts servers of its own
    sites[name] = await startOne(name, opened, { ...route, FEDERATION_ENDPOINTS: door?.url ?? 'none' });
    // oxlint-disable-next-line no-await-in-loop
    const { publicUrl } = await opened.sites.at(-1)!;
    door?.leadTo(publicUrl);
    say(`  ✔ ${name} at ${publicUrl}${door === undefined ? ', which nobody can dial' : ''}`);
  }
  const { host, relay, pi } = sites as Record<SiteName, DemoSite>;
  return {
    host,
    relay,
    pi,
    all: [host, relay, pi],
    cut: (...others) => others.forEach((other) => proxy.cut(doors[other].port)),
    heal: (...others) => others.forEach((other) => proxy.heal(doors[other].port)),
    stop: () => stopThreeSites(opened),
  };
}

export const nothingOpened = (): Opened => ({ doors: [], sites: [], clients: [] });

export async function stopThreeSites({ folder, doors, proxy, sites, clients }: Opened): Promise<void> {
  for (const client of clients) client.close();
  proxy?.close();
  for (const door of doors) door.close();
  await Promise.allSettled(sites.map(async (site) => (await site).stop()));
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
}

async function startOne(name: SiteName, opened: Opened, route: Environment): Promise<DemoSite> {
  const password = randomBytes(12).toString('base64url');
  const starting = startSite({
    dataDir: join(opened.folder!, name),
    // Whatever servers and ports the user's own site has, these must not touch them.
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'],
      PUBLIC_HOST: '127.0.0.1',
      SITE_NAME: name,
      ADMIN_PASSWORD: password,
      LOG_LEVEL: 'warn',
      FEDERATION_ALLOWED_NETWORKS: '127.0.0.0/8',
      FEDERATION_ALLOWED_HTTP_HOSTS: '127.0.0.1',
      ...route,
    },
    ports: 'any',
  });
  opened.sites.push(starting);
  const site = await starting;
  const client = new BoardwireClient({ baseUrl: site.publicUrl, outbox: { eventsMax: 100_000 } });
  opened.clients.push(client);
  await client.accounts.login('admin', password);
  return { name, client };
}
