import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A door that opens to callers from one address alone, and counts the others. */
export class GuardedDoor {
  letIn = 0;
  /** The addresses of those that it did not let in. */
  readonly turnedAway: string[] = [];
  readonly #sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {}

  static async open({ to, from }: { to: () => number; from: string }): Promise<GuardedDoor> {
    const server = createServer((incoming) => door.#meet(incoming, { to, from }));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const door: GuardedDoor = new GuardedDoor(server);
    return door;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #meet(incoming: Socket, { to, from }: { to: () => number; from: string }): void {
    this.#keep(incoming);
    const { remoteAddress = 'nowhere' } = incoming;
    if (remoteAddress !== from) {
      this.turnedAway.push(remoteAddress);
      incoming.destroy();
      return;
    }
    this.letIn += 1;
    const outgoing = connect(to(), '127.0.0.1');
    this.#keep(outgoing);
    incoming.pipe(outgoing).pipe(incoming);
    incoming.on('close', () => outgoing.destroy());
    outgoing.on('close', () => incoming.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
  }
}
