import { setTimeout as sleep } from 'node:timers/promises';
import type { HostedService } from './hosted-service.ts';
import type { SiteProxy } from './proxy/site-proxy.ts';

interface RunningParts {
  services: HostedService[];
  /** Servers to stop together with the site. */
  ownServers: { stop(): Promise<void> }[];
  proxy?: SiteProxy | undefined;
}

/** Together with the servers' own limits this stays below the five seconds a user waits for Ctrl-C. */
const servicesTimeoutMs = 2_400;

/**
 * From the outside in: the proxy takes no more connections, gateways no more requests, then those who follow the log,
 * then chat, then the servers. What does not end in time is left behind by the rest, and falls with its process.
 */
export async function stopSite({ services, ownServers, proxy }: RunningParts): Promise<void> {
  proxy?.stopAccepting();
  const limit = new AbortController();
  const isLate = sleep(servicesTimeoutMs, 'late' as const, { signal: limit.signal }).catch(() => 'late' as const);
  const outcome = await Promise.race([stopInOrder(services), isLate]);
  limit.abort();
  proxy?.close();
  if (outcome === 'late') await Promise.allSettled(services.map((service) => service.kill()));
  await Promise.allSettled(ownServers.map((server) => server.stop()));
}

async function stopInOrder(services: HostedService[]): Promise<void> {
  const isGateway = (service: HostedService): boolean => service.kind === 'gateway';
  const isChat = (service: HostedService): boolean => service.kind === 'chat';
  const isBetween = (service: HostedService): boolean => !isGateway(service) && !isChat(service);
  for (const group of [isGateway, isBetween, isChat]) {
    await Promise.allSettled(services.filter(group).map((service) => service.stop()));
  }
}
