import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GatewayAddress } from './ready-gateways.ts';
import { splice } from './splice.ts';

export interface TcpProxyOptions {
  /** Where to try the next connection, in this order. */
  inTurn(): GatewayAddress[];
  /** One of them took no connection. */
  onRefused(address: GatewayAddress): void;
}

const connectTimeoutMs = 1_000;
/** A client waits this long for a gateway when none takes connections, as while the only one starts again. */
const waitMaxMs = 5_000;
const againAfterMs = 100;
const connectionsMax = 50_000;
const backlog = 4_096;

/**
 * One public address before several gateways. It passes on bytes and knows nothing of HTTP, so every protocol of the
 * gateway goes through it; and a gateway sees its address instead of the client's.
 *
 * A connection goes to the gateway whose turn it is, or to the next one that takes it. From then on the two share their
 * fate: clients come back by themselves and go on from their cursor at whichever gateway.
 */
export class TcpProxy {
  private readonly server: Server;
  private readonly clients = new Set<Socket>();

  constructor(private readonly options: TcpProxyOptions) {
    this.server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => void this.serve(client));
    this.server.maxConnections = connectionsMax;
  }

  get connections(): number {
    return this.clients.size;
  }

  async listen(host: string, port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen({ host, port, backlog }, () => {
        this.server.removeListener('error', reject);
        resolve();
      });
    });
    // An accept that fails, as for want of file descriptors, costs that connection only.
    this.server.on('error', () => undefined);
  }

  /** New connections are refused from now on; those that are open go on. */
  stopAccepting(): void {
    this.server.close();
  }

  /** Cuts what is still open. */
  close(): void {
    this.server.close();
    for (const client of this.clients) client.destroy();
  }

  private async serve(client: Socket): Promise<void> {
    this.clients.add(client);
    client.once('close', () => this.clients.delete(client));
    client.on('error', () => undefined);
    const upstream = await this.reach(client);
    if (upstream === undefined) client.resetAndDestroy();
    else splice(client, upstream);
  }

  private async reach(client: Socket): Promise<Socket | undefined> {
    const deadline = performance.now() + waitMaxMs;
    while (!client.destroyed && performance.now() < deadline) {
      for (const address of this.options.inTurn()) {
        // oxlint-disable-next-line no-await-in-loop -- the first that takes it
        const upstream = await connected(address);
        if (upstream !== undefined) return upstream;
        this.options.onRefused(address);
      }
      // oxlint-disable-next-line no-await-in-loop
      await sleep(againAfterMs);
    }
    return undefined;
  }
}

function connected({ host, port }: GatewayAddress): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, allowHalfOpen: true });
    // Its end is seen at its close, also between here and the moment it is joined to a client.
    socket.on('error', () => undefined);
    const refuse = () => {
      socket.destroy();
      resolve(undefined);
    };
    socket.setTimeout(connectTimeoutMs, refuse);
    socket.once('error', refuse);
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.removeListener('timeout', refuse);
      socket.removeListener('error', refuse);
      resolve(socket);
    });
  });
}
