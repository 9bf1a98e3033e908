import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a port that a test can cut, or let go silent as a connection does of which only one end is left. */
export class CutLink {
  /** New connections are refused, and those that are open have ended. */
  #isCut = false;
  #isSilent = false;
  readonly #sockets = new Set<Socket>();

  private constructor(
    readonly port: number,
    readonly close: () => Promise<void>,
  ) {}

  static async to(target: () => number): Promise<CutLink> {
    const server = createServer({ pauseOnConnect: true }, (incoming) => link.#pipe(incoming, target()));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const link: CutLink = new CutLink((server.address() as AddressInfo).port, async () => {
      link.cut();
      await new Promise((resolve) => server.close(resolve));
    });
    return link;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Nothing comes through any more, and nobody is told. */
  silence(): void {
    this.#isSilent = true;
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  heal(): void {
    this.#isCut = false;
    if (this.#isSilent) for (const socket of this.#sockets) socket.destroy();
    this.#isSilent = false;
  }

  #pipe(incoming: Socket, port: number): void {
    if (this.#isCut) {
      incoming.destroy();
      return;
    }
    this.#keep(incoming);
    if (this.#isSilent) return;
    const outgoing = connect(port, '127.0.0.1');
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
