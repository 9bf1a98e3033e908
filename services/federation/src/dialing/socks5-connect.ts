import type { Socket } from 'node:net';
import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { SocksProxy } from './peer-url.ts';

// SOCKS 5 (RFC 1928) with a name and password where the proxy asks for them (RFC 1929): CONNECT, and nothing else.
const version = 5;
const connectCommand = 1;
const noAuthentication = 0;
const passwordAuthentication = 2;
const addressTypes = { ipv4: 1, name: 3, ipv6: 4 } as const;
const replies = [
  'succeeded',
  'general failure',
  'not allowed by its rules',
  'network unreachable',
  'host unreachable',
  'connection refused',
  'time to live expired',
  'command not supported',
  'address type not supported',
];

/**
 * Asks the proxy at the other end of `socket` for a connection to `host`; afterwards the socket is that connection. A
 * name travels as it is and is resolved there, never here.
 * @throws when the proxy refuses, closes or says something else
 */
export async function socks5Connect(socket: Socket, proxy: SocksProxy, target: { host: string; port: number }) {
  const read = readerOf(socket);
  const methods = proxy.username === '' ? [noAuthentication] : [noAuthentication, passwordAuthentication];
  socket.write(Uint8Array.of(version, methods.length, ...methods));
  const [chosenVersion, method] = await read(2);
  if (chosenVersion !== version || !methods.includes(method ?? -1)) throw new Error('the proxy takes no offered login');
  if (method === passwordAuthentication) await logIn(socket, read, proxy);

  const port = Uint8Array.of(target.port >> 8, target.port & 255);
  socket.write(Buffer.concat([Uint8Array.of(version, connectCommand, 0), addressOf(target.host), port]));
  const [replyVersion, reply = 1, , type] = await read(4);
  if (replyVersion !== version) throw new Error('the proxy does not speak SOCKS 5');
  if (reply !== 0) throw new Error(`the proxy says: ${replies[reply] ?? `error ${reply}`}`);
  // The address it bound, of no use to us; what follows it belongs to the peer.
  await read((await boundLength(type, read)) + 2);
}

type Read = (count: number) => Promise<Buffer>;

async function logIn(socket: Socket, read: Read, { username, password }: SocksProxy): Promise<void> {
  const [name, secret] = [Buffer.from(username), Buffer.from(password)];
  if (name.length > 255 || secret.length > 255) throw new Error('the name or password for the proxy is too long');
  socket.write(Buffer.concat([Uint8Array.of(1, name.length), name, Uint8Array.of(secret.length), secret]));
  const [, status] = await read(2);
  if (status !== 0) throw new Error('the proxy refuses the login');
}

function addressOf(host: string): Buffer {
  if (isIPv4(host)) return Buffer.from([addressTypes.ipv4, ...ipaddr.parse(host).toByteArray()]);
  if (isIPv6(host)) return Buffer.from([addressTypes.ipv6, ...ipaddr.parse(host).toByteArray()]);
  const name = Buffer.from(host, 'latin1');
  if (name.length > 255) throw new Error('the name is too long for a proxy');
  return Buffer.concat([Uint8Array.of(addressTypes.name, name.length), name]);
}

async function boundLength(type: number | undefined, read: Read): Promise<number> {
  if (type === addressTypes.ipv4) return 4;
  if (type === addressTypes.ipv6) return 16;
  if (type === addressTypes.name) return (await read(1))[0] ?? 0;
  throw new Error('the proxy does not speak SOCKS 5');
}

/** Exactly so many bytes at a time; the socket stays paused, and what was not asked for stays in it. */
function readerOf(socket: Socket): Read {
  return (count) =>
    new Promise((resolve, reject) => {
      const take = (): void => {
        const bytes = socket.read(count) as Buffer | null;
        if (bytes !== null && bytes.length === count) settle(() => resolve(bytes));
        else if (bytes !== null || socket.readableEnded) closed();
      };
      const closed = (): void => settle(() => reject(new Error('the proxy closed the connection')));
      const settle = (then: () => void): void => {
        socket.off('readable', take).off('end', closed).off('close', closed);
        then();
      };
      socket.on('readable', take).on('end', closed).on('close', closed);
      take();
    });
}
