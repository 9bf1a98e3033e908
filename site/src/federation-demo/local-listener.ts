import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Something that listens on a free port of this machine and knows its connections. */
export class LocalListener {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(onSocket: (socket: Socket) => void) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      // What broke is seen at its close.
      socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket));
      onSocket(socket);
    });
  }

  static async open(onSocket: (socket: Socket) => void): Promise<LocalListener> {
    const listener = new LocalListener(onSocket);
    await new Promise<void>((resolve, reject) => {
      listener.#server.once('error', reject);
      listener.#server.listen(0, '127.0.0.1', resolve);
    });
    return listener;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** Joins a connection to a port of this machine; when one side goes, so does the other. */
export function carry(socket: Socket, port: number): Socket {
  const target = connect(port, '127.0.0.1');
  target.on('error', () => undefined).once('close', () => socket.destroy());
  socket.once('close', () => target.destroy());
  socket.pipe(target).pipe(socket);
  return target;
}
