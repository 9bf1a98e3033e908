import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BoardwireClient, type SocketConstructor } from '@boardwire/client';
import type { StateAnswer } from '@boardwire/contracts';
import { eventually, WsReader } from '@boardwire/test-kit';
import { WebSocket } from 'ws';
import { call, signInAsGuest, type Person } from '../support/person.ts';
import { StallingStream } from '../support/stalling-stream.ts';
import { faultsOf, StreamRecorder, type Block } from '../support/stream-recorder.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

type Frame = Record<string, unknown> & { type: string };

let site: TestSite;
let admin: Person;
let elsewhere: string;
let boards = 0;
const sockets: WsReader<Frame>[] = [];
const streams: StreamRecorder[] = [];

beforeAll(async () => {
  site = await startTestSite({ gateways: 2, env: { HEARTBEAT_MS: '20000', PING_MS: '120000' } });
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
    await site.isWellAgain();
    await eventually(async () => {
      for (const url of [site.url, elsewhere]) {
        // oxlint-disable-next-line no-await-in-loop -- two gateways
        expect((await follow(board, '', url)).named('stalled')).toEqual([]);
      }
    });
  }, 30_000);
});

describe('a stream with a snapshot', () => {
  const state = (board: string, query = '') =>
    call<{ head: string; complete: boolean; events: { cursor: string; id: string }[] }>(
      `${site.url}/v1/boards/${board}/state?${query}`,
      { token: admin.token },
    );

  test('carries what GET …/state answers, and goes on behind it', async () => {
    const board = await newBoard();
    for (const subject of ['score.a', 'chat.a', 'score.b', 'score.a', 'pointer.a']) await publish(board, subject);
    const asked = await state(board, 'subject=score.>&subject=chat.>');
    expect(asked.body).toMatchObject({ complete: true, events: [{ subject: 'score.b' }, { subject: 'score.a' }] });
    const stream = await follow(board, 'subject=score.>&subject=chat.>&snapshot=state');
    expect(stream.blocks.map(({ event }) => event).filter(Boolean)).toEqual(['resumed', 'state', 'caught_up']);
    const [block] = stream.named('state');
    expect(block).toMatchObject({ data: asked.text, id: asked.body.head });
    const next = await publish(board, 'score.b');
    await stream.until((it) => it.events.length === 1);
    expect(stream.events[0]!.id).toBe(next.body.cursor);
    const socket = await openSocket();
    await subscribe(socket, 's', { board, subjects: ['score.*'], snapshot: 'state' });
    const now = await state(board, 'subject=score.*');
    expect(framesOf(socket, 'state')).toEqual([{ type: 'state', sub: 's', cursor: now.body.head, answer: now.body }]);
    expect(framesOf(socket, 'event')).toEqual([]);
  });

  test('stands where its replay starts, so that whoever comes back with its cursor gets all of it', async () => {
    const board = await newBoard();
    const first = await publish(board, 'chat.a');
    await publish(board, 'score.a');
    const last = await publish(board, 'chat.b');
    const stream = await follow(board, `snapshot=state&after=${first.body.cursor}`);
    const names = stream.blocks
      .filter(({ id }) => id !== undefined)
      .map(({ event, id }) => `${event ?? 'event'} ${id}`);
    const at = (seq: number) => first.body.cursor!.replace(/1$/, String(seq));
    expect(names).toEqual([
      `resumed ${at(1)}`,
      `state ${at(1)}`,
      `event ${at(2)}`,
      `event ${at(3)}`,
      `caught_up ${at(3)}`,
    ]);
    expect(bodyOf(stream.named('state')[0]!)['head']).toBe(last.body.cursor);
    const reset = await follow(board, 'snapshot=state&after=aaaaaaaa-7');
    expect(reset.blocks.map(({ event }) => event).filter(Boolean)).toEqual(['reset', 'state', 'caught_up']);
    expect(reset.named('state')[0]!.id).toBe(reset.named('reset')[0]!.id);
  });

  test('is bounded, and says when it was cut', async () => {
    const board = await newBoard();
    for (let from = 0; from < 1_004; from += 251) {
      const batch = Array.from({ length: 251 }, (_, at) => {
        return { specversion: '1.0', id: `c${from + at}`, type: 'score', subject: `score.${from + at}`, data: 1 };
      });
      const answer = await call(`${site.url}/v1/boards/${board}/events`, {
        token: admin.token,
        body: JSON.stringify(batch),
        headers: { 'content-type': 'application/cloudevents-batch+json' },
      });
      expect(answer.status).toBe(201);
    }
    const cut = await state(board);
    expect(cut.body.complete).toBe(false);
    expect(cut.body.events.map(({ id }) => id)).toEqual(Array.from({ length: 1_000 }, (_, at) => `c${at + 4}`));
    for (let count = 0; count < 12; count += 1)
      await publish(board, `score.large.${count}`, { data: 'x'.repeat(60_000) });
    const large = await state(board, 'subject=score.large.*');
    expect(large.body).toMatchObject({ complete: false });
    expect(large.text.length).toBeLessThan(600_000);
    const stream = await follow(board, 'snapshot=state&subject=score.large.*');
    expect(stream.named('state')[0]!.data).toBe(large.text);
  });

  test('follows the rules of now: a subject that has become a log has no state', async () => {
    const board = await newBoard();
    await publish(board, 'score.a');
    const changes = {
      rules: [
        { pattern: 'score.a', class: 'log' },
        { pattern: 'score.>', class: 'state' },
      ],
    };
    await call(`${site.url}/v1/boards/${board}`, { method: 'PATCH', token: admin.token, json: changes });
    expect((await publish(board, 'score.a')).status).toBe(201);
    expect((await state(board)).body.events).toEqual([]);
  });
});

describe.each(['websocket', 'sse'] as const)('the SDK by %s', (transport) => {
  test('opens with the state, conflates, and takes ephemeral events along', async () => {
    const board = await newBoard();
    await publish(board, 'score.a', { data: 1 });
    const client = new BoardwireClient({
      baseUrl: site.url,
      webSocket: WebSocket as unknown as SocketConstructor,
      tokenProvider: () => Promise.resolve(admin.token),
    });
    const states: StateAnswer[] = [];
    const seen: [string, unknown, string | undefined][] = [];
    const follow = client.follow(board, {
      transport,
      subjects: ['score.*', 'pointer.*'],
      snapshot: 'state',
      overflow: 'conflate',
      onSnapshot: (state) => states.push(state),
      onEvent: ({ subject, data }, { cursor }) => seen.push([subject, data, cursor]),
    });
    try {
      await eventually(() => expect(follow.state.phase).toBe('live'));
      expect(states).toMatchObject([{ complete: true, events: [{ subject: 'score.a', data: 1 }] }]);
      expect(follow.cursor).toBe(states[0]!.head);
      const stored = await publish(board, 'score.a', { data: 2 });
      await eventually(() => expect(seen).toEqual([['score.a', 2, stored.body.cursor]]));
      const sent = await client.publishEphemeral(board, { subject: 'pointer.a', type: 'note', data: 3 });
      expect(sent).toEqual({ id: expect.any(String), board, time: expect.any(String) });
      await eventually(() => expect(seen).toHaveLength(2));
      expect(seen[1]).toEqual(['pointer.a', 3, undefined]);
      expect(follow.cursor).toBe(stored.body.cursor);
    } finally {
      client.close();
    }
  });

  test('ends with the reason when conflation is refused', async () => {
    const board = await newBoard();
    const client = new BoardwireClient({
      baseUrl: site.url,
      webSocket: WebSocket as unknown as SocketConstructor,
      tokenProvider: () => Promise.resolve(admin.token),
    });
    const follow = client.follow(board, { transport, overflow: 'conflate', onEvent: () => {} });
    await eventually(() => expect(follow.state).toMatchObject({ phase: 'closed', error: { code: 'invalid' } }));
    client.close();
  });
});

describe('a reader that can’t keep up', () => {
  const subjectsCount = 20;
  const published = 5_000;
  const subjectOf = (number: number) => `score.${number % subjectsCount}`;
  const seqOf = (cursor: unknown) => Number(String(cursor).split('-')[1]);

  /** How long each batch took to be answered. */
  async function publishMany(board: string, events = published): Promise<number[]> {
    const data = { padding: 'x'.repeat(3_500) };
    const took: number[] = [];
    for (let from = 1; from <= events; from += 250) {
      const batch = Array.from({ length: 250 }, (_, at) => ({
        specversion: '1.0',
        id: `n${from + at}`,
        type: 'score',
        subject: subjectOf(from + at),
        data,
      }));
      const startedAt = performance.now();
      const answer = await call<{ status: number }[]>(`${site.url}/v1/boards/${board}/events`, {
        token: admin.token,
        body: JSON.stringify(batch),
        headers: { 'content-type': 'application/cloudevents-batch+json' },
      });
      took.push(performance.now() - startedAt);
      expect(answer.status).toBe(201);
    }
    return took;
  }

  function expectNewest(seqs: readonly number[], skipped: number): void {
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    expect(skipped).toBeGreaterThan(500);
    expect(seqs.length + skipped).toBe(published);
    expect(seqs.slice(-subjectsCount)).toEqual(
      Array.from({ length: subjectsCount }, (_, at) => published - subjectsCount + 1 + at),
    );
  }

  test('gets the newest of each subject when it conflates, everything by its cursor when not, and delays nobody', async () => {
    const board = await newBoard();
    const at = `${site.url}/v1/boards/${board}/stream?subject=score.*`;
    const conflating = await StallingStream.open(`${at}&overflow=conflate`, admin.token);
    const byDefault = await StallingStream.open(at, admin.token);
    const complete = await StallingStream.open(`${at}&overflow=disconnect`, admin.token);
    const socket = await openSocket();
    await subscribe(socket, 's', { board, subjects: ['score.*'], overflow: 'conflate' });
    const keepingUp = await follow(board, 'overflow=disconnect');
    const slow = [conflating, byDefault, complete];
    await eventually(() => expect(slow.every((stream) => stream.named('caught_up').length === 1)).toBe(true));
    for (const stream of slow) stream.stall();
    socket.socket.pause();
    const took = await publishMany(board);
    expect(Math.max(...took)).toBeLessThan(5_000);
    await keepingUp.until((it) => it.seqs.at(-1) === published, 20_000);
    expect(faultsOf(keepingUp.seqs, 1, published)).toEqual([]);
    for (const stream of slow) stream.goOn();
    socket.socket.resume();
    for (const stream of [conflating, byDefault]) {
      await eventually(() => expect(seqOf(stream.events.at(-1)?.id)).toBe(published), { timeoutMs: 20_000 });
      const skips = stream.named('skipped').map((block) => bodyOf(block)['count'] as number);
      expectNewest(
        stream.events.map(({ id }) => seqOf(id)),
        skips.reduce((sum, count) => sum + count, 0),
      );
      expect(stream.named('skipped').every(({ id }) => id === undefined)).toBe(true);
      stream.close();
    }
    await socket.until((frame) => frame.type === 'event' && seqOf(frame['cursor']) === published, {
      timeoutMs: 20_000,
    });
    const told = framesOf(socket, 'skipped').map((frame) => frame['count'] as number);
    const seqs = framesOf(socket, 'event').map((frame) => seqOf(frame['cursor']));
    expectNewest(
      seqs,
      told.reduce((sum, count) => sum + count, 0),
    );
    expect(socket.closed).toBeUndefined();
    await eventually(() => expect(complete.hasEnded).toBe(true), { timeoutMs: 20_000 });
    const lastEventId = complete.events.at(-1)!.id!;
    const returned = new StreamRecorder(at, { token: admin.token, lastEventId });
    streams.push(returned);
    await returned.until((it) => it.seqs.at(-1) === published);
    const all = [...complete.events.map(({ id }) => seqOf(id)), ...returned.seqs];
    expect(faultsOf(all, 1, published)).toEqual([]);
    const metrics = await call(`${site.internalUrl('gateway')}/metrics`);
    expect(metrics.text).toMatch(/^boardwire_conflated_total [1-9]/m);
    expect(metrics.text).toMatch(/^boardwire_closes_total\{transport="sse",code="slow"\} 1$/m);
  }, 90_000);

  test('is refused conflation where an event of class log could be left out', async () => {
    const board = await newBoard();
    const at = `${site.url}/v1/boards/${board}/stream`;
    for (const query of ['overflow=conflate', 'overflow=conflate&subject=score.*&subject=chat.*']) {
      const refused = await call<{ code: string; detail: string }>(`${at}?${query}`, { token: admin.token });
      expect(refused).toMatchObject({ status: 400, body: { code: 'invalid', detail: expect.stringContaining('log') } });
    }
    const socket = await openSocket();
    socket.send({ type: 'subscribe', sub: 'x', board, subjects: ['>'], overflow: 'conflate' });
    expect(await socket.until((frame) => frame.type === 'fail')).toMatchObject({ sub: 'x', code: 'invalid' });
    // A browser comes back with the address it was given, and would be gone for good: it goes on as any other.
    const cursor = (await publish(board, 'chat.a')).body.cursor!;
    const returned = new StreamRecorder(`${at}?overflow=conflate`, { token: admin.token, lastEventId: cursor });
    streams.push(returned);
    await returned.until((it) => it.named('caught_up').length === 1);
  });

  test('loses no event that is stored as log while its stream conflates by older rules', async () => {
    const board = await newBoard();
    const stream = await StallingStream.open(
      `${site.url}/v1/boards/${board}/stream?subject=score.*&overflow=conflate`,
      admin.token,
    );
    await eventually(() => expect(stream.named('caught_up')).toHaveLength(1));
    const changed = await call(`${site.url}/v1/boards/${board}`, {
      method: 'PATCH',
      token: admin.token,
      json: { rules: [] },
    });
    expect(changed.status).toBe(200);
    stream.stall();
    await publishMany(board, 4_000);
    stream.goOn();
    await eventually(() => expect(stream.hasEnded).toBe(true), { timeoutMs: 20_000 });
    const got = stream.events.map(({ id }) => seqOf(id));
    expect(stream.named('skipped')).toEqual([]);
    expect(faultsOf(got, 1, got.at(-1)!)).toEqual([]);
  }, 60_000);
});
