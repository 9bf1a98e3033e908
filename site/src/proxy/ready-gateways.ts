import { Agent, get } from 'node:http';
import type { HostedService } from '../hosted-service.ts';

const askEveryMs = 250;
const answerTimeoutMs = 1_000;

export interface GatewayAddress {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

interface Gateway {
  address: GatewayAddress;
  readyUrl: string;
  isReady: boolean;
  isAsked: boolean;
}

/** Which gateways take new connections, as their own `/readyz` says, and whose turn it is. */
export class ReadyGateways {
  private readonly gateways: Gateway[];
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 1 });
  private timer: NodeJS.Timeout | undefined;
  private turn = 0;

  constructor(services: readonly HostedService[]) {
    this.gateways = services.map(({ name, internalUrl, publicUrl }) => {
      const { hostname, port } = new URL(publicUrl ?? '');
      const address = { name, host: hostname, port: Number(port) };
      return { address, readyUrl: `${internalUrl}/readyz`, isReady: true, isAsked: false };
    });
  }

  start(): void {
    this.timer ??= setInterval(() => this.askAll(), askEveryMs);
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.agent.destroy();
  }

  /**
   * Where to try a new connection, one after the other: the ready ones, each first in its turn. When none is ready, all:
   * a gateway that answers says better what is wrong than a closed door.
   */
  inTurn(): GatewayAddress[] {
    const from = this.turn++ % this.gateways.length;
    const rotated = [...this.gateways.slice(from), ...this.gateways.slice(0, from)];
    const ready = rotated.filter(({ isReady }) => isReady);
    return (ready.length > 0 ? ready : rotated).map(({ address }) => address);
  }

  /** A connection was refused: not ready until it says so again. */
  refused({ name }: GatewayAddress): void {
    const gateway = this.gateways.find(({ address }) => address.name === name);
    if (gateway !== undefined) gateway.isReady = false;
  }

  private askAll(): void {
    for (const gateway of this.gateways) if (!gateway.isAsked) void this.ask(gateway);
  }

  private async ask(gateway: Gateway): Promise<void> {
    gateway.isAsked = true;
    gateway.isReady = await answersReady(gateway.readyUrl, this.agent);
    gateway.isAsked = false;
  }
}

/** A frozen gateway takes connections and answers nothing: no answer in time is no. */
function answersReady(url: string, agent: Agent): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(url, { agent, timeout: answerTimeoutMs }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}
