import type { Socket } from 'node:net';
import { carry, LocalListener } from './local-listener.ts';

const version = 5;
const succeeded = Buffer.from([version, 0, 0, 1, 127, 0, 0, 1, 0, 0]);
const unreachable = Buffer.from([version, 4, 0, 1, 0, 0, 0, 0, 0, 0]);

/** A SOCKS5 proxy (RFC 1928) to ports of this machine, whose links can be cut: what is open breaks, and nothing new opens. */
export class SocksProxy {
  #listener: LocalListener | undefined;
  readonly #cut = new Set<number>();
  readonly #open = new Map<Socket, number>();

  static async open(): Promise<SocksProxy> {
    const proxy = new SocksProxy();
    proxy.#listener = await LocalListener.open((socket) => {
      proxy.#serve(socket).catch(() => socket.destroy());
    });
    return proxy;
  }

  get url(): string {
    return `socks5h://127.0.0.1:${this.#listener!.port}`;
  }

  cut(port: number): void {
    this.#cut.add(port);
    for (const [socket, target] of this.#open) if (target === port) socket.resetAndDestroy();
  }

  heal(port: number): void {
    this.#cut.delete(port);
  }

  close(): void {
    this.#listener?.close();
  }

  async #serve(socket: Socket): Promise<void> {
    const [, methods = 0] = await take(socket, 2);
    await take(socket, methods);
    socket.write(Buffer.from([version, 0]));
    const [, , , type = 0] = await take(socket, 4);
    await take(socket, await addressLength(socket, type));
    const port = (await take(socket, 2)).readUInt16BE();
    if (this.#cut.has(port)) return void socket.end(unreachable);
    this.#open.set(socket, port);
    socket.once('close', () => this.#open.delete(socket));
    socket.write(succeeded);
    carry(socket, port);
  }
}

/** Every name leads to this machine: the port alone says where to. */
async function addressLength(socket: Socket, type: number): Promise<number> {
  if (type === 1) return 4;
  if (type === 4) return 16;
  return (await take(socket, 1))[0] ?? 0;
}

async function take(socket: Socket, count: number): Promise<Buffer> {
  if (count === 0) return Buffer.alloc(0);
  for (;;) {
    const bytes = socket.read(count) as Buffer | null;
    if (bytes !== null) return bytes;
    // oxlint-disable-next-line no-await-in-loop -- until there is enough
    await new Promise<void>((resolve, reject) => {
      socket.once('readable', resolve);
      socket.once('close', () => reject(new Error('closed')));
    });
  }
}
