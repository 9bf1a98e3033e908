import { afterEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@boardwire/test-kit';
import { createServer, request, type IncomingMessage, type Server, type ServerOptions } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { openEventStream, type EventStream } from '../src/http/event-stream.ts';

interface Opened {
  server: Server;
  port: number;
  streams: EventStream[];
  /** Responses of which Node has said that they are closed. */
  closed: number;
}

let opened: Opened | undefined;
const clients: Socket[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
  for (const { socket } of opened?.streams ?? []) socket.destroy();
  opened?.server.close();
});

/** Answers `/stream` with an event stream that was taken over, everything else with 204. */
async function serve(options: ServerOptions = {}): Promise<Opened> {
  const server = createServer(options, (incoming, response) => {
    if (incoming.url !== '/stream') return void response.writeHead(204).end();
    response.once('close', () => (result.closed += 1));
    // As behind any door that asks first.
    setImmediate(() => {
      const stream = openEventStream(incoming, response);
      if (stream === undefined) return;
      stream.socket.write('5\r\nhello\r\n');
      result.streams.push(stream);
    });
  });
  server.on('clientError', (_error, socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const result: Opened = { server, port: (server.address() as AddressInfo).port, streams: [], closed: 0 };
  opened = result;
  return result;
}

function client(port: number, text: string): { socket: Socket; text: () => string; isClosed: () => boolean } {
  let received = '';
  let isClosed = false;
  const socket = connect({ port, allowHalfOpen: true }, () => socket.write(text));
  clients.push(socket);
  socket.on('data', (bytes: Buffer) => (received += bytes.toString('latin1')));
  socket.on('error', () => {});
  socket.on('end', () => (isClosed = true));
  socket.on('close', () => (isClosed = true));
  return { socket, text: () => received, isClosed: () => isClosed };
}

const head = 'GET /stream HTTP/1.1\r\nhost: x\r\n\r\n';

describe('a connection that was taken from its request', () => {
  test('leaves nothing with the server: no connection, no response, no deadline', async () => {
    const site = await serve({ headersTimeout: 300, requestTimeout: 300, connectionsCheckingInterval: 10 });
    const reader = client(site.port, head);
    await eventually(() => expect(reader.text()).toContain('hello'));
    await eventually(() => expect(site.closed).toBe(1));
    const count = await new Promise((resolve) => {
      site.server.getConnections((_error, open) => resolve(open));
    });
    expect(count).toBe(0);
    await new Promise((resolve) => {
      setTimeout(resolve, 600);
    });
    expect(reader.isClosed()).toBe(false);
    site.streams[0]!.socket.write('3\r\nyou\r\n');
    await eventually(() => expect(reader.text()).toContain('you'));
  });

  test('is a well-formed answer from the head to the last chunk, also when much waits at its end', async () => {
    const site = await serve();
    const text = await new Promise<string>((resolve, reject) => {
      const asked = request({ port: site.port, path: '/stream' }, (answer: IncomingMessage) => {
        expect(answer.headers).toMatchObject({
          'content-type': 'text/event-stream; charset=utf-8',
          connection: 'close',
        });
        let body = '';
        answer.on('data', (bytes: Buffer) => {
          if (body === '') {
            const { socket } = site.streams[0]!;
            for (let at = 0; at < 64; at += 1) socket.write(`10000\r\n${'x'.repeat(65_536)}\r\n`);
            site.streams[0]!.end();
          }
          body += bytes.toString();
        });
        answer.on('end', () => resolve(body));
        answer.on('error', reject);
      });
      asked.on('error', reject);
      asked.end();
    });
    expect(text).toHaveLength('hello'.length + 64 * 65_536);
    await eventually(() => expect(site.streams[0]!.socket.destroyed).toBe(true));
  });

  test('reads until the end for HTTP/1.0, without chunks', async () => {
    const site = await serve();
    const reader = client(site.port, 'GET /stream HTTP/1.0\r\n\r\n');
    await eventually(() => expect(site.streams).toHaveLength(1));
    expect(site.streams[0]!.framing).toBe('plain');
    site.streams[0]!.end();
    await eventually(() => expect(reader.isClosed()).toBe(true));
    expect(reader.text()).not.toContain('transfer-encoding');
    expect(reader.text().endsWith('0\r\n\r\n')).toBe(false);
  });

  test.each([
    ['a request', head],
    ['no HTTP at all', '\u0000\u0001 rubbish\r\n\r\n'],
    ['half a request', 'POST /else HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc'],
  ])('takes %s behind it for nothing', async (_what, rubbish) => {
    const site = await serve();
    const reader = client(site.port, head);
    await eventually(() => expect(reader.text()).toContain('hello'));
    const before = reader.text();
    for (let at = 0; at < 20; at += 1) reader.socket.write(rubbish);
    await eventually(() => expect(site.streams[0]!.socket.bytesRead).toBeGreaterThanOrEqual(20 * rubbish.length));
    site.streams[0]!.socket.write('3\r\nyou\r\n');
    await eventually(() => expect(reader.text()).toBe(`${before}3\r\nyou\r\n`));
    expect(site.streams).toHaveLength(1);
  });

  test('says nothing of what came in one packet with its request', async () => {
    const site = await serve();
    const good = client(site.port, `${head}GET /else HTTP/1.1\r\nhost: x\r\n\r\n`);
    await eventually(() => expect(good.text()).toContain('hello'));
    const bad = client(site.port, `${head}rubbish\r\n\r\n`);
    await eventually(() => expect(bad.isClosed()).toBe(true));
    // Refused before there was a stream, or not at all; never in the middle of one.
    expect(good.text()).not.toContain('204');
    expect(bad.text()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n\r\n$/);
  });

  test.each([
    ['ends', (socket: Socket) => socket.end()],
    ['resets', (socket: Socket) => socket.resetAndDestroy()],
    ['vanishes with much on its way to it', (socket: Socket) => (socket.pause(), socket.destroy())],
  ])('closes once when its client %s', async (_how, leave) => {
    const site = await serve();
    const reader = client(site.port, head);
    await eventually(() => expect(reader.text()).toContain('hello'));
    let closes = 0;
    const { socket } = site.streams[0]!;
    socket.once('close', () => (closes += 1));
    reader.socket.pause();
    for (let at = 0; at < 200; at += 1) socket.write(`10000\r\n${'x'.repeat(65_536)}\r\n`);
    expect(socket.writableLength).toBeGreaterThan(0);
    leave(reader.socket);
    await eventually(() => expect(closes).toBe(1));
    expect(socket.destroyed).toBe(true);
  });

  test('is none when its request was pipelined behind another, or its client has gone', async () => {
    const site = await serve();
    const slow = client(site.port, `GET /stream HTTP/1.1\r\nhost: x\r\n\r\n${head}`);
    await eventually(() => expect(slow.text()).toContain('hello'));
    expect(site.streams).toHaveLength(1);
    const gone = client(site.port, head);
    gone.socket.once('connect', () => gone.socket.resetAndDestroy());
    await eventually(() => expect(gone.isClosed()).toBe(true));
    // It may have gone a moment too late to be known.
    await eventually(() => expect(site.streams.slice(1).every(({ socket }) => socket.destroyed)).toBe(true));
  });
});
