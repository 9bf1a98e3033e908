import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { free, Lane, type Flow } from './lane.ts';

/** What is wrong with the way of one site to this door. */
export interface Fault {
  /** What becomes of a new connection. */
  opens: 'connected' | 'refused';
  /** Towards the site behind the door, and back. */
  up: Flow;
  down: Flow;
}

export const noFault: Fault = { opens: 'connected', up: free, down: free };

/** What becomes of connections on which something was held, when the way is whole again. `never`: nothing, they stay dead. */
export type Healing = 'go on' | 'reset' | 'never';

/** The door of a site by which others dial it: for each of them the way there can be broken in a way of its own. */
export class FaultyDoor {
  readonly #faults = new Map<string, Fault>();
  readonly #connections = new Set<DoorConnection>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async to(target: () => number): Promise<FaultyDoor> {
    const server = createServer({ allowHalfOpen: true }, (incoming) => door.#accept(incoming, target()));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const door: FaultyDoor = new FaultyDoor(server, (server.address() as AddressInfo).port);
    return door;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  faultOf(site: string | undefined): Fault {
    return (site === undefined ? undefined : this.#faults.get(site)) ?? noFault;
  }

  /** From now on, also on what is open. */
  break(site: string, fault: Fault): void {
    this.#faults.set(site, fault);
    for (const connection of this.#of(site)) connection.move();
  }

  /** Ends what this site has open. */
  cut(site: string): void {
    for (const connection of this.#of(site)) connection.destroy();
  }

  heal(site: string, how: Healing): void {
    const { up, down } = this.faultOf(site);
    const wasHeld = up.kind === 'held' || down.kind === 'held';
    if (wasHeld && how === 'reset') this.cut(site);
    if (wasHeld && how === 'never') for (const connection of this.#of(site)) connection.isDead = true;
    this.break(site, noFault);
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #of(site: string): DoorConnection[] {
    return [...this.#connections].filter((connection) => connection.site === site);
  }

  #accept(incoming: Socket, port: number): void {
    const connection = new DoorConnection(incoming, connect({ port, host: '127.0.0.1', allowHalfOpen: true }), this);
    this.#connections.add(connection);
    connection.onClosed = () => this.#connections.delete(connection);
  }
}

/** Who calls stands in the signature of its requests; a site opens a connection of its own for each site it calls. */
export const callerPattern = /;keyid="(bs1[a-z2-7]{52})\//;
const held: Flow = { kind: 'held' };

class DoorConnection {
  site: string | undefined;
  /** Nothing gets through any more, whatever happens, and neither end is told. */
  isDead = false;
  onClosed: () => void = () => undefined;
  readonly #lanes: Lane[];

  constructor(
    private readonly incoming: Socket,
    private readonly outgoing: Socket,
    private readonly door: FaultyDoor,
  ) {
    const up = new Lane(incoming, outgoing, () => this.#flow('up'));
    const down = new Lane(outgoing, incoming, () => this.#flow('down'));
    this.#lanes = [up, down];
    incoming.on('data', (bytes) => {
      if (this.site === undefined && !this.#identify(bytes)) return;
      up.push(bytes);
    });
    outgoing.on('data', (bytes) => down.push(bytes));
    this.#watch(incoming, up);
    this.#watch(outgoing, down);
  }

  move(): void {
    for (const lane of this.#lanes) lane.move();
  }

  destroy(): void {
    for (const lane of this.#lanes) lane.stop();
    this.incoming.destroy();
    this.outgoing.destroy();
    this.onClosed();
  }

  /** Whether it may go on. */
  #identify(bytes: Buffer): boolean {
    this.site = callerPattern.exec(bytes.toString('latin1'))?.[1];
    if (this.door.faultOf(this.site).opens === 'connected') return true;
    this.incoming.resetAndDestroy();
    this.destroy();
    return false;
  }

  #flow(way: 'up' | 'down'): Flow {
    return this.isDead ? held : this.door.faultOf(this.site)[way];
  }

  /** That one end has gone is told to the other one as its bytes are: or not at all. */
  #watch(socket: Socket, lane: Lane): void {
    socket.on('error', () => undefined);
    socket.on('end', () => lane.end('half'));
    socket.on('close', () => {
      lane.end('whole');
      if (this.incoming.destroyed && this.outgoing.destroyed) this.destroy();
    });
  }
}
