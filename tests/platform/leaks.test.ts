import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, SseReader, WsReader } from '@boardwire/test-kit';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { call, signInAsGuest, type Person } from '../support/person.ts';
import { clientFrame, upgradeRequest } from '../support/raw-client.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

type Frame = Record<string, unknown> & { type: string };

const isLong = process.env['BOARDWIRE_TEST_TIER'] === 'long';
const cycles = isLong ? 10_000 : 600;
const atOnce = 12;
/** A connection that stays in any list keeps several KiB. The rest is caches that fill up once. */
const heapGrowthMax = isLong ? 8_000_000 : 2_500_000;

let site: TestSite;
let admin: Person;
let guest: Person;

beforeAll(async () => {
  const collector = pathToFileURL(join(import.meta.dirname, '../support/collect-garbage.mjs')).href;
  site = await startTestSite({
    mode: 'processes',
    env: { HEARTBEAT_MS: '200', LEAVE_GRACE_MS: '0', LOG_LEVEL: 'warn', NODE_OPTIONS: `--import ${collector}` },
  });
  admin = await site.admin();
  guest = await signInAsGuest(site.url, 'leaky');
}, 90_000);
afterAll(async () => {
  await site?.stop();
}, 30_000);

const wsUrl = () => `${site.url.replace('http', 'ws')}/v1/ws`;
const streamUrl = (query = '') => `${site.url}/v1/boards/events/stream${query}`;
const openSocket = () => WsReader.open<Frame>(wsUrl(), { protocols: ['boardwire.v1'] });

async function subscribed(person = admin): Promise<WsReader<Frame>> {
  const socket = await openSocket();
  socket.send({ type: 'auth', token: person.token });
  socket.send({ type: 'subscribe', sub: 's', board: 'events', subjects: ['AxonChat.>'], after: 'start' });
  await socket.until(({ type }) => type === 'caught_up');
  return socket;
}

/** Bytes over a bare socket; then a reset after whatever has come back first, or after a moment. */
function reset(text: string | Buffer): Promise<void> {
  const { hostname, port } = new URL(site.url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => socket.write(text));
    const timer = setTimeout(() => socket.resetAndDestroy(), 60);
    socket.on('data', () => socket.resetAndDestroy());
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

const bearer = (token: string) => `authorization: Bearer ${token}\r\n`;
const get = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nhost: x\r\n${headers}\r\n`;
const refused = async (query: string, token: string) => void (await call(streamUrl(query), { token }));

/** Every way in which a connection can end. */
const endings: Record<string, () => Promise<void>> = {
  'a stream, by its client': async () => {
    const stream = await SseReader.open(streamUrl('?after=start'), { token: admin.token });
    await stream.until(({ event }) => event === 'caught_up');
    stream.close();
  },
  'a stream, reset at its first byte': () => reset(get('/v1/boards/events/stream?last=5', bearer(admin.token))),
  'a stream, refused for its token': () => refused('', 'a.b.c'),
  'a stream, refused for its query': () => refused('?last=many', admin.token),
  'a stream, refused for its rights': () => refused('?subject=federation.x', guest.token),
  'a stream of no board': async () => void (await call(`${site.url}/v1/boards/nowhere/stream`, { token: admin.token })),
  'a stream with a ticket that is none': async () => void (await call(streamUrl('?ticket=none'))),
  'a stream of the older wire': () => reset(get('/api/chat/events/', bearer(admin.token))),
  'a request, half sent': () => reset('GET /v1/boards/events/stream HTTP/1.1\r\nhost: x\r\nauth'),
  'a body, half sent': () =>
    reset(
      `POST /v1/boards/events/events HTTP/1.1\r\nhost: x\r\n${bearer(admin.token)}content-type: application/json\r\ncontent-length: 99\r\n\r\n{`,
    ),
  'nothing sent': () => reset(''),
  'an upgrade, half sent': () => reset(upgradeRequest().slice(0, 60)),
  'an upgrade, refused': () => reset(upgradeRequest('/v1/nowhere')),
  'an upgrade, refused for its token': () => reset(upgradeRequest('/v1/ws', bearer('a.b.c'))),
  'a socket, closed': async () => {
    const socket = await subscribed();
    socket.close();
    await socket.ended();
  },
  'a socket, gone': async () => (await subscribed()).terminate(),
  'a socket, gone before it said who it is': async () => (await openSocket()).terminate(),
  'a socket, gone in the middle of a frame': () =>
    reset(
      Buffer.concat([
        Buffer.from(upgradeRequest('/v1/ws', bearer(admin.token))),
        clientFrame({ opcode: 1, payload: Buffer.from('{"ty'), saidLength: 50 }),
      ]),
    ),
  'a socket, refused for its token': async () => {
    const socket = await openSocket();
    socket.send({ type: 'auth', token: 'a.b.c' });
    await socket.ended();
  },
  'a socket, for what is no frame': async () => {
    const socket = await subscribed();
    socket.send('no frame');
    await socket.ended();
  },
  'a socket, unsubscribed, with presence': async () => {
    const socket = await subscribed();
    socket.send({ type: 'presence', sub: 's' });
    socket.send({ type: 'unsubscribe', sub: 's', req: 1 });
    await socket.until(({ type, req }) => type === 'ack' && req === 1);
    socket.terminate();
  },
};

/** Ends that the server decides on; they take a session or seconds each, so there are fewer of them. */
const rareEndings: Record<string, () => Promise<void>> = {
  'a stream and a socket, revoked': async () => {
    const person = await signInAsGuest(site.url, `gone-${Math.random().toString(36).slice(2, 12)}`);
    const stream = await SseReader.open(streamUrl(), { token: person.token });
    const socket = await subscribed(person);
    await call(`${site.url}/v1/auth/logout`, { method: 'POST', token: person.token });
    await Promise.all([stream.ended(), socket.ended()]);
  },
};

async function run(list: Record<string, () => Promise<void>>, count: number): Promise<void> {
  const works = Object.values(list);
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const work = works[next % works.length]!;
      next += 1;
      // oxlint-disable-next-line no-await-in-loop -- so many at once
      await work();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

const gateway = () => site.site.services['gateway']!;
const metric = (text: string, name: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith(name) && /^[ {]/.test(line.slice(name.length)))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);

/** When nobody is connected any more: what the process still holds. */
async function held(): Promise<{ heap: number; descriptors: number }> {
  await eventually(
    async () => {
      const { text } = await call(`${gateway().internalUrl}/metrics`);
      expect(metric(text, 'boardwire_gateway_connections')).toBe(0);
      expect(metric(text, 'boardwire_subscriptions')).toBe(0);
    },
    { timeoutMs: 15_000 },
  );
  let least = { heap: Number.POSITIVE_INFINITY, descriptors: Number.POSITIVE_INFINITY };
  for (let look = 0; look < 5; look += 1) {
    process.kill(gateway().pid!, 'SIGUSR2');
    // oxlint-disable-next-line no-await-in-loop -- what was on its way is let go of between two looks
    await new Promise((resolve) => setTimeout(resolve, 300));
    // oxlint-disable-next-line no-await-in-loop
    const { text } = await call(`${gateway().internalUrl}/metrics`);
    const descriptors = readdirSync(`/proc/${gateway().pid}/fd`).length;
    least = {
      heap: Math.min(least.heap, metric(text, 'nodejs_heap_size_used_bytes')),
      descriptors: Math.min(least.descriptors, descriptors),
    };
  }
  return least;
}

describe('connections', () => {
  test(
    `leave nothing behind, however they end (${cycles} of them)`,
    async () => {
      const rare = isLong ? 60 : 6;
      // Code, caches and pools fill up once.
      await run(endings, Math.max(120, cycles / 5));
      await run(rareEndings, rare);
      const before = await held();
      await run(endings, cycles);
      await run(rareEndings, rare);
      const after = await held();
      process.stderr.write(
        `heap ${before.heap} → ${after.heap}, descriptors ${before.descriptors} → ${after.descriptors}\n`,
      );
      expect(after.descriptors - before.descriptors).toBeLessThanOrEqual(4);
      expect(after.heap - before.heap).toBeLessThan(heapGrowthMax);
    },
    isLong ? 900_000 : 120_000,
  );
});
