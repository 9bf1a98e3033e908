import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { boardSubject, busHeaders, coreSubjects } from '@boardwire/contracts';
import { connectBus, type Bus } from '@boardwire/messaging';
import { eventually, seededRandom, SseReader, WsReader } from '@boardwire/test-kit';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { call, type Person } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

type Frame = Record<string, unknown> & { type: string };

const messages = process.env['BOARDWIRE_TEST_TIER'] === 'long' ? 20_000 : 2_000;

let site: TestSite;
let admin: Person;
let bus: Bus;

beforeAll(async () => {
  site = await startTestSite({ mode: 'processes', gateways: 2 });
  admin = await site.admin();
  const { url, token } = site.infrastructure.nats;
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  bus = await connectBus({ url, ...(token === undefined ? {} : { token }), name: 'noise', logger });
}, 90_000);
afterAll(async () => {
  await bus?.close();
  await site?.stop();
}, 30_000);

const subjects = [
  coreSubjects.boardAppended,
  coreSubjects.boardChanged,
  coreSubjects.sessionRevoked,
  coreSubjects.ticketUsed,
  coreSubjects.presence('noise'),
  coreSubjects.presence('gateway'),
  coreSubjects.presenceAsk('noise'),
  coreSubjects.typing('events'),
  coreSubjects.typing('nowhere'),
  coreSubjects.ephemeral('events', 'AxonChat.lobby'),
  coreSubjects.ephemeral('nowhere', 'a'),
  'eph.events',
  boardSubject('events', 'AxonChat.lobby'),
];

test('what makes no sense on the bus reaches nobody, ends nothing and costs nothing that lasts', async () => {
  const random = seededRandom();
  const stream = await SseReader.open(`${site.url}/v1/boards/events/stream?named=1`, { token: admin.token });
  const socket = await WsReader.open<Frame>(`${site.url.replace('http', 'ws')}/v1/ws`, { protocols: ['boardwire.v1'] });
  socket.send({ type: 'auth', token: admin.token });
  socket.send({ type: 'subscribe', sub: 's', board: 'events', subjects: ['>'] });
  socket.send({ type: 'presence', sub: 's' });
  await socket.until(({ type }) => type === 'caught_up');
  await stream.until(({ event }) => event === 'caught_up');
  const values = [
    'null',
    '[]',
    '{}',
    '"x"',
    '1e99',
    '{"pod":"noise"}',
    '{"pod":7,"version":-1,"users":{}}',
    '\n\nevent: revoked\n\n',
  ];
  for (let at = 0; at < messages; at += 1) {
    const payload = random.integer(0, 1) === 0 ? randomBytes(random.integer(0, 300)) : random.pick(values);
    const headers: Record<string, string> = {};
    for (const name of Object.values(busHeaders)) {
      if (name !== busHeaders.messageId && random.integer(0, 2) === 0)
        headers[name] = random.pick(['', 'x', '-1', '1e9', 'ephemeral', 'a.b', '9'.repeat(30)]);
    }
    bus.publish(random.pick(subjects), payload, headers);
    // oxlint-disable-next-line no-await-in-loop -- not all in one packet
    if (at % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const json = { subject: 'AxonChat.lobby', type: 'chat.message.posted', data: { text: 'after the noise' } };
  const posted = await call<{ cursor: string }>(`${site.url}/v1/boards/events/events`, { token: admin.token, json });
  expect(posted.status).toBe(201);
  await stream.until(({ id, data }) => id === posted.body.cursor && data !== undefined);
  await socket.until(({ type, cursor }) => type === 'event' && cursor === posted.body.cursor);
  const readable = (text: string): boolean => {
    try {
      return typeof JSON.parse(text) === 'object';
    } catch {
      return false;
    }
  };
  expect(stream.blocks.filter(({ data }) => data !== undefined && !readable(data))).toEqual([]);
  expect(stream.blocks.filter(({ event }) => event === 'revoked' || event === 'reset')).toEqual([]);
  expect(stream.isOpen && socket.closed === undefined).toBe(true);
  await eventually(async () => {
    const { body } = await call<{ count: number }>(`${site.url}/v1/boards/events/presence`, { token: admin.token });
    expect(body.count).toBe(1);
  });
  stream.close();
  socket.close();
  for (const service of Object.keys(site.site.services)) {
    // oxlint-disable-next-line no-await-in-loop -- one log after the other
    const log = await readFile(join(site.infrastructure.folder, 'site', 'logs', `${service}.log`), 'utf8');
    const faults = log.split('\n').filter((line) => /"level":"(?:error|fatal)"/.test(line));
    expect(faults.slice(0, 3).map((line) => `${service}: ${line.slice(0, 400)}`)).toEqual([]);
  }
}, 60_000);
