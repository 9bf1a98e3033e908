import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '@boardwire/test-kit';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { call, type Person } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

const isLong = process.env['BOARDWIRE_TEST_TIER'] === 'long';
const cyclesEach = isLong ? 2_000 : 200;
const atATime = 10;
const looksMax = 8;
/** What stayed of a stream would be 3.5 KB, of a socket 5; what warms up is spread over few cycles here. */
const heapBytesEachMax = 3_000;

let site: TestSite;
let admin: Person;
beforeAll(async () => {
  // In this process, where the collector can be asked.
  site = await startTestSite({ env: { LOG_LEVEL: 'warn', LEAVE_GRACE_MS: '0' } });
  admin = await site.admin();
}, 60_000);
afterAll(async () => {
  await site?.stop();
}, 30_000);

const upgrade =
  'upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
  'sec-websocket-version: 13\r\nsec-websocket-protocol: boardwire.v1\r\n';
const stream = (query = '') => `/v1/boards/events/stream${query}`;
const subscribe = frame(0x81, JSON.stringify({ type: 'subscribe', sub: 's', board: 'events', subjects: ['>'] }));

interface Ending {
  path: string;
  headers?: string;
  /** What shows that it is open; each is answered by the next of `steps`. */
  after: string[];
  steps: ((socket: Socket) => void)[];
}

const reset = (socket: Socket) => void socket.resetAndDestroy();
const end = (socket: Socket) => void socket.end();
const ask = (socket: Socket) => void socket.write(subscribe);
const ws = { path: '/v1/ws', headers: upgrade };

const endings: Record<string, Ending> = {
  'a stream that its client ends': { path: stream(), after: ['caught_up'], steps: [end] },
  'a stream that its client resets': { path: stream('?last=5'), after: ['caught_up'], steps: [reset] },
  'a stream left before it opens': { path: stream('?after=start'), after: [''], steps: [reset] },
  'a stream with rubbish behind it': {
    path: stream(),
    after: ['caught_up'],
    steps: [(socket) => void socket.end('\u0000 rubbish\r\n\r\n')],
  },
  'a refused stream': { path: stream('?last=nine'), after: ['problem'], steps: [end] },
  'a socket that says goodbye': {
    ...ws,
    after: ['welcome', 'caught_up'],
    steps: [ask, (socket) => void socket.write(frame(0x88, ''))],
  },
  'a socket that is reset': { ...ws, after: ['welcome', 'caught_up'], steps: [ask, reset] },
  'a socket that breaks the protocol': { ...ws, after: ['welcome'], steps: [(socket) => void socket.write('rubbish')] },
  'a socket left in the middle of a frame': {
    ...ws,
    after: ['welcome'],
    steps: [(socket) => void socket.end(subscribe.subarray(0, 12))],
  },
};

describe('connections that have ended', () => {
  test.each(Object.keys(endings))(
    'leave no memory, no descriptor and no entry behind: %s',
    async (name) => {
      const ending = endings[name]!;
      await cycles(ending, cyclesEach / 2);
      const first = await settled();
      await cycles(ending, cyclesEach);
      // What leaks stays for ever; a pool's connection or a question that nobody waits for any more has its deadline.
      let each = Infinity;
      let descriptors = Infinity;
      for (let look = 0; look < looksMax && (each >= heapBytesEachMax || descriptors > 2); look += 1) {
        // oxlint-disable-next-line no-await-in-loop -- until it is free, or never
        if (look > 0) await new Promise((resolve) => setTimeout(resolve, 2_000));
        // oxlint-disable-next-line no-await-in-loop
        const after = await settled();
        each = (after.heapBytes - first.heapBytes) / cyclesEach;
        descriptors = after.descriptors - first.descriptors;
      }
      expect(each).toBeLessThan(heapBytesEachMax);
      expect(descriptors).toBeLessThanOrEqual(2);
    },
    120_000,
  );
});

async function cycles(ending: Ending, count: number): Promise<void> {
  let left = count;
  const one = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      // oxlint-disable-next-line no-await-in-loop -- one after the other, ten beside each other
      await cycle(ending);
    }
  };
  await Promise.all(Array.from({ length: atATime }, one));
}

function cycle({ path, headers = '', after, steps }: Ending): Promise<void> {
  const { hostname, port } = new URL(site.url);
  return new Promise((resolve, reject) => {
    let text = '';
    let at = 0;
    const step = () => {
      while (at < steps.length && text.includes(after[at]!)) steps[at++]!(socket);
    };
    const socket = connect({ port: Number(port), host: hostname }, () => {
      socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${admin.token}\r\n${headers}\r\n`, step);
    });
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      step();
    });
    socket.on('error', () => undefined);
    socket.once('close', () => (at === steps.length ? resolve() : reject(new Error(`ended early: ${text}`))));
  });
}

/** When nobody is open any more, and what is garbage has been taken away. */
async function settled(): Promise<{ heapBytes: number; descriptors: number }> {
  await eventually(
    async () => {
      const { text } = await call(`${site.internalUrl('gateway')}/metrics`);
      const open = [...text.matchAll(/^boardwire_(?:gateway_connections|subscriptions)\S* (\d+)$/gm)];
      expect(open.map(([, count]) => Number(count)).reduce((sum, count) => sum + count, 0)).toBe(0);
    },
    { timeoutMs: 10_000 },
  );
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 4; round += 1) {
    collect();
    // oxlint-disable-next-line no-await-in-loop -- finalizers run between
    await new Promise((resolve) => {
      setTimeout(resolve, 30);
    });
  }
  return { heapBytes: process.memoryUsage().heapUsed, descriptors: readdirSync('/proc/self/fd').length };
}

function frame(first: number, text: string): Buffer {
  const payload = Buffer.from(text);
  const head =
    payload.length < 126 ? [first, 0x80 | payload.length] : [first, 0xfe, payload.length >> 8, payload.length & 255];
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), payload]);
}
