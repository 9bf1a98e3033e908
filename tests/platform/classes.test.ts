import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WsReader } from '@boardwire/test-kit';
import { call, signInAsGuest, type Person } from '../support/person.ts';
import { StreamRecorder, type Block } from '../support/stream-recorder.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

type Frame = Record<string, unknown> & { type: string };

let site: TestSite;
let admin: Person;
let elsewhere: string;
let boards = 0;
const sockets: WsReader<Frame>[] = [];
const streams: StreamRecorder[] = [];

beforeAll(async () => {
  site = await startTestSite({ gateways: 2, env: { HEARTBEAT_MS: '300' } });
  admin = await site.admin();
  elsewhere = site.site.services['gateway-2']!.publicUrl!;
}, 60_000);
afterAll(async () => {
  for (const socket of sockets) socket.close();
  for (const stream of streams) stream.close();
  await site?.stop();
}, 30_000);

const rules = [
  { pattern: 'pointer.>', class: 'ephemeral' },
  { pattern: 'score.>', class: 'state' },
];

async function newBoard(): Promise<string> {
  boards += 1;
  const slug = `classes-${boards}`;
  const created = await call(`${site.url}/v1/boards`, { token: admin.token, json: { slug, title: slug, rules } });
  expect(created.status).toBe(201);
  return slug;
}

interface Published {
  url?: string;
  data?: unknown;
  headers?: Record<string, string>;
}

function publish(board: string, subject: string, { url = site.url, data = {}, headers = {} }: Published = {}) {
  return call<{ id: string; board: string; time: string; seq?: number; cursor?: string; code?: string }>(
    `${url}/v1/boards/${board}/events`,
    { token: admin.token, json: { subject, type: 'note', data }, headers },
  );
}

async function follow(board: string, query = '', url = site.url): Promise<StreamRecorder> {
  const stream = new StreamRecorder(`${url}/v1/boards/${board}/stream?${query}`, { token: admin.token });
  streams.push(stream);
  await stream.until((it) => it.named('caught_up').length === 1);
  return stream;
}

async function openSocket(url = site.url): Promise<WsReader<Frame>> {
  const socket = await WsReader.open<Frame>(`${url.replace('http', 'ws')}/v1/ws`, { protocols: ['boardwire.v1'] });
  sockets.push(socket);
  socket.send({ type: 'auth', token: admin.token });
  await socket.until((frame) => frame.type === 'welcome');
  return socket;
}

async function subscribe(socket: WsReader<Frame>, sub: string, frame: Record<string, unknown>): Promise<void> {
  socket.send({ type: 'subscribe', sub, ...frame });
  await socket.until((given) => given.type === 'caught_up' && given['sub'] === sub);
}

const bodyOf = (block: Block) => JSON.parse(block.data!) as Record<string, unknown>;
const framesOf = (socket: WsReader<Frame>, type: string) => socket.frames.filter((frame) => frame.type === type);

describe('an ephemeral event', () => {
  test('reaches who is here, on this gateway and the other, once, and is never stored', async () => {
    const board = await newBoard();
    const [here, there] = [await follow(board), await follow(board, '', elsewhere)];
    const socket = await openSocket(elsewhere);
    await subscribe(socket, 's', { board, subjects: ['pointer.*'] });
    const stored = await publish(board, 'chat.lobby');
    const answer = await publish(board, 'pointer.ana', { data: { x: 1 } });
    expect(answer.status).toBe(202);
    expect(answer.body).toEqual({ id: expect.any(String), board, time: expect.any(String) });
    const last = await publish(board, 'pointer.ana', { data: { x: 2 }, url: elsewhere });
    const isLast = (block: Block) => block.data !== undefined && bodyOf(block)['id'] === last.body.id;
    for (const stream of [here, there]) {
      await stream.until((it) => it.events.some(isLast) && it.events.some(({ id }) => id === stored.body.cursor));
      const found = stream.events.filter((block) => bodyOf(block)['subject'] === 'pointer.ana');
      expect(found.map((block) => (bodyOf(block)['data'] as { x: number }).x)).toEqual([1, 2]);
      expect(found.map(({ id }) => id)).toEqual([undefined, undefined]);
      // What a browser would come back with is still a place in the log.
      expect(stream.lastEventId).toBe(stored.body.cursor);
    }
    await socket.until((frame) => frame.type === 'event' && (frame['event'] as { id: string }).id === last.body.id);
    expect(framesOf(socket, 'event').map((frame) => frame['cursor'])).toEqual([undefined, undefined]);
    const history = await call<{ events: { id: string }[]; head: string }>(`${site.url}/v1/boards/${board}/events`, {
      token: admin.token,
    });
    expect(history.body.events.map(({ id }) => id)).toEqual([stored.body.id]);
    expect(history.body.head).toBe(stored.body.cursor);
  });

  test('looks as a stored one does', async () => {
    const board = await newBoard();
    const stream = await follow(board);
    await publish(board, 'chat.lobby', { data: { text: 'ü' } });
    await publish(board, 'pointer.ana', { data: { text: 'ü' } });
    await stream.until((it) => it.events.length === 2);
    const bodies = stream.events.map(bodyOf);
    const stored = bodies.find((body) => body['class'] === 'log')!;
    const ephemeral = bodies.find((body) => body['class'] === 'ephemeral')!;
    const own = { id: ephemeral['id'], subject: 'pointer.ana', time: ephemeral['time'], class: 'ephemeral' };
    expect(ephemeral).toEqual({ ...stored, ...own });
    expect(stored['origin']).toMatch(/^\w+/);
  });

  test('comes by every form of publishing, also among stored ones of a batch', async () => {
    const board = await newBoard();
    const stream = await follow(board, 'subject=pointer.>');
    const url = `${site.url}/v1/boards/${board}/events`;
    const cloud = (id: string, subject: string) => ({
      specversion: '1.0',
      id,
      source: `/users/${admin.id}`,
      type: 'note',
      subject,
    });
    const post = (type: string, body: unknown, headers = {}) =>
      call<Record<string, unknown>[]>(url, {
        token: admin.token,
        body: JSON.stringify(body),
        headers: { 'content-type': type, ...headers },
      });
    expect((await post('application/cloudevents+json', cloud('structured', 'pointer.a'))).status).toBe(202);
    const attributes = Object.entries(cloud('binary', 'pointer.a')).map(([name, value]) => [`ce-${name}`, value]);
    expect((await post('application/json', { x: 1 }, Object.fromEntries(attributes))).status).toBe(202);
    const batch = [
      cloud('b1', 'chat.a'),
      cloud('b2', 'pointer.a'),
      cloud('b3', 'score.a'),
      { ...cloud('b4', 'pointer.a'), subject: '' },
    ];
    const mixed = await post('application/cloudevents-batch+json', batch);
    expect(mixed.status).toBe(200);
    expect(mixed.body).toMatchObject([
      { status: 201, id: 'b1' },
      { status: 202, id: 'b2' },
      { status: 201, id: 'b3' },
      { status: 400 },
    ]);
    expect(Object.keys(mixed.body[1]!).toSorted()).toEqual(['board', 'id', 'status', 'time']);
    const all = await post('application/cloudevents-batch+json', [cloud('b5', 'pointer.a'), cloud('b6', 'pointer.b')]);
    expect([all.status, all.body.map(({ status }) => status)]).toEqual([202, [202, 202]]);
    const socket = await openSocket();
    socket.send({ type: 'publish', req: 1, board, event: { id: 'ws', subject: 'pointer.a', type: 'note' } });
    const ack = await socket.until((frame) => frame.type === 'ack' && frame['req'] === 1);
    expect(ack).toEqual({ type: 'ack', req: 1, id: 'ws', time: expect.any(String), outcome: 'ephemeral' });
    await stream.until((it) => it.events.length >= 6);
    expect(stream.events.map((block) => bodyOf(block)['id'])).toEqual(['structured', 'binary', 'b2', 'b5', 'b6', 'ws']);
  });

  test('is held to the rights and the size of any other', async () => {
    const board = await newBoard();
    const guest = await signInAsGuest(site.url, 'eve');
    const url = `${site.url}/v1/boards/${board}/events`;
    const refused = await call<{ code: string }>(url, {
      token: guest.token,
      json: { subject: 'pointer.a', type: 'note' },
    });
    expect([refused.status, refused.body.code]).toEqual([403, 'forbidden']);
    const large = await publish(board, 'pointer.a', { data: 'x'.repeat(70_000) });
    expect([large.status, large.body.code]).toEqual([413, 'too_large']);
  });

  test('reaches the gateway’s own clients at once while NATS is down', async () => {
    const board = await newBoard();
    const stream = await follow(board);
    await site.infrastructure.nats.kill();
    try {
      const startedAt = performance.now();
      const answer = await publish(board, 'pointer.ana');
      expect(answer.status).toBe(202);
      await stream.until((it) => it.events.some((block) => bodyOf(block)['id'] === answer.body.id), 2_000);
      expect(performance.now() - startedAt).toBeLessThan(2_000);
    } finally {
      await site.infrastructure.nats.start();
    }
    const other = await follow(board, '', elsewhere);
    // The gateways come back to the bus in their own time.
    const deadline = performance.now() + 10_000;
    while (other.events.length === 0 && performance.now() < deadline) {
      await publish(board, 'pointer.ana');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(other.events.length).toBeGreaterThan(0);
  }, 30_000);
});
