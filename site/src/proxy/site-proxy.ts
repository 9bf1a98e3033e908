import type { HostedService } from '../hosted-service.ts';
import { ReadyGateways } from './ready-gateways.ts';
import { TcpProxy } from './tcp-proxy.ts';

/** The public address of a site with several gateways. */
export interface SiteProxy {
  /** Open connections. */
  readonly connections: number;
  /** New connections are refused; open ones go on until their gateway ends them. */
  stopAccepting(): void;
  /** Cuts what is left. */
  close(): void;
}

export async function openProxy({
  host,
  port,
  services,
}: {
  host: string;
  port: number;
  services: readonly HostedService[];
}): Promise<SiteProxy> {
  const gateways = new ReadyGateways(services.filter(({ kind }) => kind === 'gateway'));
  const proxy = new TcpProxy({
    inTurn: () => gateways.inTurn(),
    onRefused: (address) => gateways.refused(address),
  });
  await proxy.listen(host, port);
  gateways.start();
  return {
    get connections() {
      return proxy.connections;
    },
    stopAccepting: () => proxy.stopAccepting(),
    close: () => {
      gateways.stop();
      proxy.close();
    },
  };
}
