import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { EventStreamClient, type StreamAnswer } from './event-stream-client.ts';
import type { ClientTarget, RealClient } from './real-client.ts';

/** Speaks HTTP/1.0: no `Host`, no chunks, and the answer ends with its connection. */
export function http10Client({ url, token }: ClientTarget): RealClient {
  const { hostname, port, pathname, search } = new URL(url);
  return new EventStreamClient((lastEventId): StreamAnswer => {
    const resume = lastEventId === undefined ? '' : `Last-Event-ID: ${lastEventId}\r\n`;
    const body = new PassThrough();
    const socket = connect({ host: hostname, port: Number(port) }, () =>
      socket.write(`GET ${pathname}${search} HTTP/1.0\r\nAuthorization: Bearer ${token}\r\n${resume}\r\n`),
    );
    let head = '';
    let status = 0;
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      if (status !== 0) return void body.write(bytes);
      head += bytes.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      status = Number(/^HTTP\/1\.\d (\d{3})/.exec(head)?.[1]);
      body.write(Buffer.from(head.slice(end + 4), 'latin1'));
    });
    const ended = new Promise<number>((resolve) => socket.once('close', () => resolve(status)));
    return { body, ended, cut: () => socket.destroy() };
  });
}
