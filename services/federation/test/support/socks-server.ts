import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface Asked {
  /** Address type as it stood on the wire: 1 IPv4, 3 name, 4 IPv6. */
  type: number;
  host: string;
  port: number;
}

/** A SOCKS 5 server that writes down what it was asked for, and leads everything to one local port. */
export class SocksServer {
  readonly asked: Asked[] = [];
  readonly logins: string[] = [];
  /** Reply to the next requests; 0 succeeds. */
  reply = 0;
  /** Bytes arrive one by one, as on a bad line. */
  isCrumbling = false;

  private constructor(
    readonly port: number,
    readonly close: () => Promise<void>,
  ) {}

  static async start(targetPort: () => number, login?: string): Promise<SocksServer> {
    const open = new Set<Socket>();
    const server = createServer((socket) => {
      open.add(socket);
      socket.on('error', () => undefined).on('close', () => open.delete(socket));
      serve(socket, result, targetPort(), login).catch(() => socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const close = async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    };
    const result = new SocksServer((server.address() as AddressInfo).port, close);
    return result;
  }
}

async function serve(socket: Socket, server: SocksServer, targetPort: number, login: string | undefined) {
  const [, methodCount = 0] = await take(socket, 2);
  const methods = await take(socket, methodCount);
  const method = login === undefined ? 0 : 2;
  if (!methods.includes(method)) return void socket.end(Uint8Array.of(5, 255));
  socket.write(Uint8Array.of(5, method));
  if (login !== undefined && !(await loggedIn(socket, server, login))) return void socket.end(Uint8Array.of(1, 1));
  const [, , , type = 0] = await take(socket, 4);
  const host = await hostOf(socket, type);
  server.asked.push({ type, host, port: (await take(socket, 2)).readUInt16BE() });
  if (server.reply !== 0) return void socket.end(Uint8Array.of(5, server.reply, 0, 1, 0, 0, 0, 0, 0, 0));
  const target = connect(targetPort, '127.0.0.1');
  target.on('error', () => socket.destroy()).on('close', () => socket.destroy());
  socket.on('close', () => target.destroy());
  const answer = Buffer.concat([Uint8Array.of(5, 0, 0, 3, 4), Buffer.from('here'), Uint8Array.of(0, 80)]);
  if (server.isCrumbling) {
    for (const byte of answer) {
      socket.write(Uint8Array.of(byte));
      // oxlint-disable-next-line no-await-in-loop -- one by one is the point
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  } else socket.write(answer);
  socket.pipe(target).pipe(socket);
}

async function loggedIn(socket: Socket, server: SocksServer, login: string): Promise<boolean> {
  const [, nameLength = 0] = await take(socket, 2);
  const name = await take(socket, nameLength);
  const [secretLength = 0] = await take(socket, 1);
  const given = `${name.toString()}:${(await take(socket, secretLength)).toString()}`;
  server.logins.push(given);
  if (given === login) socket.write(Uint8Array.of(1, 0));
  return given === login;
}

async function hostOf(socket: Socket, type: number): Promise<string> {
  if (type === 1) return [...(await take(socket, 4))].join('.');
  if (type === 4) return (await take(socket, 16)).toString('hex');
  const [length = 0] = await take(socket, 1);
  return (await take(socket, length)).toString();
}

async function take(socket: Socket, count: number): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(count) as Buffer | null;
    if (bytes !== null) return bytes;
    // oxlint-disable-next-line no-await-in-loop -- until there is enough
    await new Promise((resolve, reject) => {
      socket.once('readable', resolve);
      socket.once('close', () => reject(new Error('closed')));
    });
  }
}
