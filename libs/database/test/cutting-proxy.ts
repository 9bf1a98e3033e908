import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

const readyForQuery = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/** `ErrorResponse` of PostgreSQL's protocol 3.0, as a server that is told to end a session sends it. */
function shutdownError(): Buffer {
  const fields = Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0');
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeUInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

/** Stands between a pool and Postgres, and can end new sessions in the very packet that says that they are ready. */
export class CuttingProxy {
  isCutting = false;
  cuts = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(target: URL) {
    this.#server = createServer((socket) => this.#splice(socket, target));
  }

  static async start(url: string): Promise<{ proxy: CuttingProxy; url: string }> {
    const through = new URL(url);
    const proxy = new CuttingProxy(new URL(url));
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    through.hostname = '127.0.0.1';
    through.port = String((proxy.#server.address() as AddressInfo).port);
    return { proxy, url: through.href };
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #splice(client: Socket, target: URL): void {
    const server = connect(Number(target.port), target.hostname);
    let isReady = false;
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        server.destroy();
        this.#sockets.delete(socket);
      });
    }
    client.on('data', (bytes) => server.write(bytes));
    server.on('data', (bytes) => {
      const becomesReady = !isReady && bytes.subarray(-readyForQuery.length).equals(readyForQuery);
      isReady ||= becomesReady;
      if (!becomesReady || !this.isCutting) return void client.write(bytes);
      this.cuts += 1;
      client.end(Buffer.concat([bytes, shutdownError()]));
    });
  }
}
