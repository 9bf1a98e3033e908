import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '@boardwire/test-kit';
import { CrowdClient } from '../support/crowd.ts';
import { call, type Person } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

const isLong = process.env['BOARDWIRE_TEST_TIER'] === 'long';
const clientCount = isLong ? 400 : 40;
const stalledCount = clientCount / 10;
/** More than the kernels of both sides take for a client that doesn't read, and an outbox beside. */
const owedBytes = 9 * 1024 * 1024;
const eventBytes = 60_000;
/** Below an outbox: a reader that is merely slow is never owed more. */
const batchEvents = 10;

let site: TestSite;
let admin: Person;
const clients: CrowdClient[] = [];
beforeAll(async () => {
  // All clients live in this process, and need their time for a batch of a quarter of a gigabyte; `bench stalled` takes a thousand.
  const bounds = isLong ? { PING_MS: '15000', OUTBOX_TOTAL_BYTES_MAX: String(2 ** 30) } : { PING_MS: '5000' };
  site = await startTestSite({ mode: 'processes', env: { LOG_LEVEL: 'warn', ...bounds } });
  admin = await site.admin();
}, 60_000);
afterAll(async () => {
  for (const { socket } of clients) socket.destroy();
  await site?.stop();
}, 30_000);

const metric = async (name: string): Promise<number> => {
  const { text } = await call(`${site.internalUrl('gateway')}/metrics`);
  const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
};

function join(transport: 'sse' | 'ws', after: string): CrowdClient {
  const client = new CrowdClient(transport, { url: site.url, board: 'events', token: admin.token, after });
  clients.push(client);
  return client;
}

let published = 0;
/** @returns the seq of the last one. */
async function publish(count: number): Promise<number> {
  const batch = Array.from({ length: count }, () => ({
    specversion: '1.0',
    id: `slow-${(published += 1)}`,
    source: `/users/${admin.id}`,
    type: 'load',
    subject: 'load.slow',
    data: { text: 'x'.repeat(eventBytes) },
  }));
  const answer = await call<{ seq: number }[]>(`${site.url}/v1/boards/events/events`, {
    token: admin.token,
    json: batch,
    headers: { 'content-type': 'application/cloudevents-batch+json' },
  });
  expect(answer.status).toBe(201);
  return answer.body.at(-1)!.seq;
}

const within = { timeoutMs: isLong ? 120_000 : 20_000, everyMs: 20 };

describe(`of ${clientCount} clients a tenth stops reading`, () => {
  test('the others miss nothing, the stalled are cut and counted, and come back by cursor with everything', async () => {
    const { body } = await call<{ epoch: string; head: number }>(`${site.url}/v1/boards/events`, {
      token: admin.token,
    });
    const from = `${body.epoch}-${body.head}`;
    const crowd = Array.from({ length: clientCount }, (_, at) => join(at % 2 === 0 ? 'sse' : 'ws', from));
    const stalled = crowd.slice(0, stalledCount);
    const others = crowd.slice(stalledCount);
    await eventually(() => expect(crowd.every(({ isCaughtUp }) => isCaughtUp)).toBe(true), within);
    for (const { socket } of stalled) socket.pause();
    const residentBefore = await metric('process_resident_memory_bytes');

    let last = 0;
    let outboxMax = 0;
    for (let sent = 0; sent < owedBytes; sent += batchEvents * eventBytes) {
      // oxlint-disable no-await-in-loop -- as fast as those who read
      last = await publish(batchEvents);
      await eventually(
        () => expect(others.filter((client) => client.last < last && !client.isClosed)).toEqual([]),
        within,
      );
      outboxMax = Math.max(outboxMax, await metric('boardwire_outbox_bytes'));
      // oxlint-enable no-await-in-loop
    }
    for (const { gaps, isClosed, last: reached } of others) {
      expect({ gaps, isClosed, reached }).toEqual({ gaps: 0, isClosed: false, reached: last });
    }

    await eventually(async () => {
      expect(await metric('boardwire_closes_total{transport="sse",code="slow"}')).toBe(stalledCount / 2);
      expect(await metric('boardwire_closes_total{transport="ws",code="4008"}')).toBe(stalledCount / 2);
    }, within);
    expect(await metric('boardwire_slow_cuts_total')).toBe(stalledCount);
    // An outbox each, and the last write on top of it.
    expect(outboxMax).toBeLessThan(stalledCount * (1024 + 256) * 1024);
    await eventually(async () => expect(await metric('boardwire_outbox_bytes')).toBe(0), within);
    const grown = (await metric('process_resident_memory_bytes')) - residentBefore;
    expect(grown).toBeLessThan(250 * 1024 * 1024);

    for (const { socket } of stalled) socket.resume();
    await eventually(() => expect(stalled.every(({ isClosed }) => isClosed)).toBe(true), within);
    const back = stalled.map(({ transport, cursor }) => join(transport, cursor));
    await eventually(() => expect(back.filter((client) => client.last < last)).toEqual([]), within);
    for (const { gaps } of [...stalled, ...back]) expect(gaps).toBe(0);
  }, 300_000);

  test('a WebSocket is seen to read nothing while the kernel still takes everything', async () => {
    const { body } = await call<{ epoch: string; head: number }>(`${site.url}/v1/boards/events`, {
      token: admin.token,
    });
    const cuts = await metric('boardwire_slow_cuts_total{why="unread"}');
    const [stalled, reader] = [0, 1].map(() => join('ws', `${body.epoch}-${body.head}`)) as [CrowdClient, CrowdClient];
    await eventually(() => expect(stalled.isCaughtUp && reader.isCaughtUp).toBe(true), within);
    stalled.socket.pause();
    for (let batch = 0; batch < 3; batch += 1) {
      // oxlint-disable-next-line no-await-in-loop -- more than an outbox holds
      const last = await publish(batchEvents);
      // oxlint-disable-next-line no-await-in-loop
      await eventually(() => expect(reader.last).toBe(last), within);
    }
    expect(await metric('boardwire_outbox_bytes')).toBe(0);
    await eventually(
      async () => expect(await metric('boardwire_slow_cuts_total{why="unread"}')).toBe(cuts + 1),
      within,
    );
    expect(reader.isClosed).toBe(false);
    stalled.socket.resume();
  }, 180_000);

  test('who vanishes is gone from the gateway at once, with a word or without', async () => {
    const open = () => metric('boardwire_gateway_connections');
    const rest = clients.filter(({ isClosed }) => !isClosed);
    expect(rest.length).toBeGreaterThan(stalledCount);
    await eventually(async () => expect(await open()).toBe(rest.length), within);
    for (const [at, { socket }] of rest.entries()) {
      if (at % 2 === 0) socket.resetAndDestroy();
      else socket.end();
    }
    await eventually(async () => expect(await open()).toBe(0), within);
  }, 60_000);
});
