import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { callbackify } from 'node:util';
import type { buildConnector } from 'undici';
import type { AddressGuard } from './address-guard.ts';
import { DialError } from './dial-error.ts';
import { peerUrl, type DialingPolicy, type PeerUrl, type SocksProxy } from './peer-url.ts';
import { socks5Connect } from './socks5-connect.ts';

/** All addresses of a name. */
export type Resolve = (host: string) => Promise<readonly string[]>;

export interface ConnectorOptions {
  guard: AddressGuard;
  policy: DialingPolicy;
  resolve?: Resolve;
  /** Certificate authorities in place of the platform's. */
  ca?: string | undefined;
  connectTimeoutMs: number;
  proxyConnectTimeoutMs: number;
}

export const resolveBySystem: Resolve = async (host) =>
  (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);

/**
 * Opens connections for the HTTP client: each name is resolved once for each connection, all its addresses are checked,
 * and the connection goes to one of exactly those. A name that changes its mind in between (DNS rebinding) changes nothing.
 */
export function checkedConnector(options: ConnectorOptions): buildConnector.connector {
  return ({ protocol, hostname, port }, callback) => {
    const bracketed = isIP(hostname) === 6 ? `[${hostname}]` : hostname;
    const address = `${protocol}//${bracketed}:${port || (protocol === 'https:' ? 443 : 80)}`;
    callbackify(connectTo)(address, options, (error, socket?: Socket) => {
      // Typed as if there were always both.
      if (socket !== undefined) callback(null, socket);
      else callback(error ?? new Error('no socket'), null);
    });
  };
}

async function connectTo(address: string, options: ConnectorOptions): Promise<Socket> {
  const { guard, policy, resolve = resolveBySystem } = options;
  const peer = peerUrl(address, policy);
  const timeoutMs = peer.isProxied ? options.proxyConnectTimeoutMs : options.connectTimeoutMs;
  const attempt = new Attempt(timeoutMs);
  try {
    const open = async (): Promise<Socket> => {
      const plain = await openPlain(peer, { guard, resolve, proxy: policy.proxy, attempt });
      return peer.isTls ? secured(plain, { peer, ca: options.ca, attempt }) : plain;
    };
    return await Promise.race([open(), attempt.deadline]);
  } catch (error) {
    attempt.giveUp();
    throw error instanceof DialError ? error : new DialError('unreachable', `${peer.host} cannot be reached`, error);
  } finally {
    attempt.disarm();
  }
}

/** One attempt to connect, and the sockets it has opened so far: when it fails or is late, none of them stays. */
class Attempt {
  readonly deadline: Promise<never>;
  readonly #sockets: Socket[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(timeoutMs: number) {
    this.deadline = new Promise((_resolve, reject) => {
      this.#timer = setTimeout(() => reject(new DialError('timed_out', 'no connection in time')), timeoutMs);
    });
  }

  opened(socket: Socket, event: 'connect' | 'secureConnect'): Promise<Socket> {
    this.#sockets.push(socket);
    return new Promise((resolve, reject) => {
      socket.once(event, () => resolve(socket));
      // Stays for the socket's life: a late error that nobody listens to would end the process.
      socket.on('error', reject);
      socket.once('close', () => reject(new Error('closed before it was open')));
      // A resolver that answers after the deadline.
      if (this.#isOver) socket.destroy();
    });
  }

  giveUp(): void {
    this.#isOver = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  disarm(): void {
    clearTimeout(this.#timer);
  }
}

interface Opening {
  guard: AddressGuard;
  resolve: Resolve;
  proxy: SocksProxy | undefined;
  attempt: Attempt;
}

async function openPlain(peer: PeerUrl, { guard, resolve, proxy, attempt }: Opening): Promise<Socket> {
  // A literal is checked even when a proxy would call it: the proxy stands inside the operator's network.
  const isLiteral = isIP(peer.host) !== 0;
  if (isLiteral) assertAllowed(guard, peer.host);
  if (peer.isProxied && proxy !== undefined) {
    const socket = await attempt.opened(connectTcp({ host: proxy.host, port: proxy.port }), 'connect');
    await socks5Connect(socket, proxy, peer);
    return socket;
  }
  const addresses = isLiteral ? [peer.host] : await resolved(peer.host, resolve);
  for (const address of addresses) assertAllowed(guard, address);
  const socket = connectTcp({ host: peer.host, port: peer.port, lookup: pinned(addresses), autoSelectFamily: true });
  return attempt.opened(socket, 'connect');
}

async function resolved(host: string, resolve: Resolve): Promise<readonly string[]> {
  const addresses = await resolve(host).catch((cause: unknown) => {
    throw new DialError('unresolved', `${host} has no address`, cause);
  });
  if (addresses.length === 0) throw new DialError('unresolved', `${host} has no address`);
  return addresses;
}

function assertAllowed(guard: AddressGuard, address: string): void {
  const refusal = guard.refusal(address);
  if (refusal !== undefined) throw new DialError('address_refused', `${address} may not be called: ${refusal}`);
}

/** In place of the system's resolver: what was checked, and nothing else. */
function pinned(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, options, callback) => {
    if (options.all === true) callback(null, all);
    else callback(null, all[0]?.address ?? '', all[0]?.family);
  };
}

function secured(plain: Socket, how: { peer: PeerUrl; ca: string | undefined; attempt: Attempt }): Promise<Socket> {
  const { host } = how.peer;
  const name = isIP(host) === 0 ? { servername: host } : {};
  const authorities = how.ca === undefined ? {} : { ca: how.ca };
  const socket = connectTls({ socket: plain, host, ALPNProtocols: ['http/1.1'], ...name, ...authorities });
  return how.attempt.opened(socket, 'secureConnect');
}
