import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Pace } from '../src/connections/pace.ts';
import { paceStreams } from '../src/http/pace-streams.ts';

/** Requests as the parser hands them over, all in one turn. */
const arriving = 100;
let server: Server;
let handled: string[];

beforeEach(() => {
  handled = [];
  server = createServer((request, response) => {
    handled.push(request.url ?? '');
    response.end();
  });
  paceStreams(server, new Pace());
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function arrive(url: string, isGone = false): void {
  server.emit('request', { url, socket: { destroyed: isGone } }, { end: () => {} });
}

describe('requests for streams', () => {
  test('get through by portions, in their order; others don’t wait behind them', async () => {
    const urls = Array.from({ length: arriving }, (_unused, at) => `/v1/boards/events/stream?after=${at}`);
    for (const url of urls) arrive(url);
    arrive('/v1/boards/events/events');
    expect(handled.length).toBeLessThan(arriving / 4);
    expect(handled.at(-1)).toBe('/v1/boards/events/events');
    for (let turn = 0; turn < arriving; turn += 1) await nextTurn(); // oxlint-disable-line no-await-in-loop
    expect(handled.filter((url) => url.includes('stream'))).toEqual(urls);
  });

  test('of who has left are not looked at', async () => {
    for (let at = 0; at < arriving; at += 1) arrive('/v1/boards/events/stream', true);
    for (let turn = 0; turn < arriving; turn += 1) await nextTurn(); // oxlint-disable-line no-await-in-loop
    expect(handled).toEqual([]);
  });

  test('come to whoever listened before', async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const [response] = await once(
      get({ port, host: '127.0.0.1', path: '/v1/boards/a/stream', agent: false }),
      'response',
    );
    (response as NodeJS.ReadableStream).resume();
    expect(handled).toEqual(['/v1/boards/a/stream']);
  });
});
