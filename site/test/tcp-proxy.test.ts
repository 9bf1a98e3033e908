import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { eventually, freePort } from '@boardwire/test-kit';
import type { GatewayAddress } from '../src/proxy/ready-gateways.ts';
import { TcpProxy } from '../src/proxy/tcp-proxy.ts';

const open: { close(): unknown }[] = [];

afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

/** A server that hands each of its sockets to the test. */
async function backend(name: string, onSocket: (socket: Socket) => void): Promise<GatewayAddress & { server: Server }> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  open.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  return { name, host: '127.0.0.1', port: (server.address() as AddressInfo).port, server };
}

async function proxyTo(inTurn: () => GatewayAddress[], refused: string[] = []) {
  const proxy = new TcpProxy({ inTurn, onRefused: ({ name }) => refused.push(name) });
  const port = await freePort();
  await proxy.listen('127.0.0.1', port);
  open.push(proxy);
  return { proxy, port };
}

async function client(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  socket.on('error', () => undefined);
  open.push({ close: () => socket.destroy() });
  await once(socket, 'connect');
  return socket;
}

describe('the proxy before several gateways', () => {
  it('passes bytes on both ways, and a half-closed connection as such', async () => {
    const echo = await backend('a', (socket) => {
      socket.on('data', (bytes) => socket.write(bytes));
      // Speaks on after its client has said all it had.
      socket.once('end', () => socket.end('after the end'));
    });
    const { port, proxy } = await proxyTo(() => [echo]);
    const socket = await client(port);
    socket.end('hello ');
    expect(await text(socket)).toBe('hello after the end');
    await eventually(() => expect(proxy.connections).toBe(0));
  });

  it('goes to the next when one is gone, and says who refused', async () => {
    const refused: string[] = [];
    const gone = { name: 'gone', host: '127.0.0.1', port: await freePort() };
    const here = await backend('here', (socket) => socket.end('here'));
    const { port } = await proxyTo(() => [gone, here], refused);
    expect(await text(await client(port))).toBe('here');
    expect(refused).toEqual(['gone']);
  });

  it('lets a client wait while the only one starts again', async () => {
    const port = await freePort();
    const late = { name: 'late', host: '127.0.0.1', port };
    const { port: publicPort } = await proxyTo(() => [late]);
    const socket = await client(publicPort);
    socket.write('early words');
    const server = createServer((upstream) => {
      upstream.on('error', () => undefined);
      upstream.on('data', (bytes) => upstream.end(bytes));
    });
    open.push(server);
    await once(server.listen(port, '127.0.0.1'), 'listening');
    expect(await text(socket)).toBe('early words');
  });

  it('keeps nothing for a client that stops reading: the gateway feels it', async () => {
    let sent = 0;
    let isHeld = false;
    const talker = await backend('a', (socket) => {
      const chunk = Buffer.alloc(64 * 1024, 'x');
      const write = () => {
        isHeld = false;
        while (socket.write(chunk)) sent += chunk.length;
        isHeld = true;
      };
      socket.on('drain', write);
      write();
    });
    const { port } = await proxyTo(() => [talker]);
    const before = process.memoryUsage().arrayBuffers + process.memoryUsage().external;
    const socket = await client(port);
    socket.pause();
    await eventually(() => expect(isHeld).toBe(true));
    let stoppedAt = -1;
    // What the system's own buffers hold differs from machine to machine; that it ends is the point.
    await eventually(
      () => {
        const last = stoppedAt;
        stoppedAt = sent;
        expect(stoppedAt).toBe(last);
      },
      { everyMs: 300 },
    );
    expect(process.memoryUsage().arrayBuffers + process.memoryUsage().external - before).toBeLessThan(16 * 1024 * 1024);
    socket.resume();
    await eventually(() => expect(sent).toBeGreaterThan(stoppedAt));
  });

  it('breaks the client’s connection with its gateway’s, not ends it: a cut answer must not look whole', async () => {
    let upstream: Socket | undefined;
    const dying = await backend('a', (socket) => {
      upstream = socket;
      socket.write('half an ans');
    });
    const { port } = await proxyTo(() => [dying]);
    const socket = await client(port);
    await once(socket, 'data');
    upstream!.resetAndDestroy();
    const [error] = (await once(socket, 'error').catch((cause: unknown) => [cause])) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
  });

  it('lets go of the gateway when the client has gone', async () => {
    let closed = 0;
    const patient = await backend('a', (socket) => {
      socket.resume();
      socket.once('close', () => (closed += 1));
      socket.once('end', () => socket.end());
    });
    const { port, proxy } = await proxyTo(() => [patient]);
    const polite = await client(port);
    const rude = await client(port);
    await eventually(() => expect(proxy.connections).toBe(2));
    polite.end();
    rude.resetAndDestroy();
    await eventually(() => expect(closed).toBe(2));
    expect(proxy.connections).toBe(0);
  });

  it('takes no more connections when told so, and keeps those that are open', async () => {
    const echo = await backend('a', (socket) => socket.on('data', (bytes) => socket.write(bytes)));
    const { port, proxy } = await proxyTo(() => [echo]);
    const socket = await client(port);
    socket.write('one');
    await once(socket, 'data');
    proxy.stopAccepting();
    const late = connect({ host: '127.0.0.1', port });
    const [error] = (await once(late, 'error').catch((cause: unknown) => [cause])) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
    socket.write('two');
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    expect(bytes.toString()).toBe('two');
    proxy.close();
    await once(socket, 'end');
  });
});
