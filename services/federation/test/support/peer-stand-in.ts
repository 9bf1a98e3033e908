import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { testCertificate } from './test-certificate.ts';

/** Another site's HTTP server, which does what the test says. */
export class PeerStandIn {
  /** How many connections came in. */
  connections = 0;
  readonly requests: IncomingMessage[] = [];
  answer: RequestListener = (_request, response) => response.end('{}');

  private constructor(
    readonly port: number,
    readonly close: () => Promise<void>,
  ) {}

  static async start({ host = '127.0.0.1', port = 0, isTls = false } = {}): Promise<PeerStandIn> {
    const open = new Set<Socket>();
    const listener = (request: IncomingMessage, response: ServerResponse) => {
      peer.requests.push(request);
      response.on('error', () => undefined);
      peer.answer(request, response);
    };
    const server = isTls ? createTlsServer(testCertificate, listener) : createServer(listener);
    server.on('connection', (socket: Socket) => {
      peer.connections += 1;
      open.add(socket);
      socket.on('error', () => undefined).on('close', () => open.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(port, host, resolve));
    const close = async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    };
    const peer = new PeerStandIn((server.address() as AddressInfo).port, close);
    return peer;
  }
}
