import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WsReader } from '@boardwire/test-kit';
import { connect } from 'node:net';
import { call, say, signInAsGuest, type Person } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

type Frame = Record<string, unknown> & { type: string };

let site: TestSite;
let ana: Person;
const sockets: WsReader<Frame>[] = [];
beforeAll(async () => {
  site = await startTestSite({ env: { HEARTBEAT_MS: '300' } });
  ana = await signInAsGuest(site.url, 'ana');
}, 60_000);
afterAll(async () => {
  for (const socket of sockets) socket.close();
  await site?.stop();
}, 30_000);

async function open(person?: Person): Promise<WsReader<Frame>> {
  const socket = await WsReader.open<Frame>(`${site.url.replace('http', 'ws')}/v1/ws`, { protocols: ['boardwire.v1'] });
  sockets.push(socket);
  if (person !== undefined) {
    socket.send({ type: 'auth', token: person.token });
    await socket.until((frame) => frame.type === 'welcome');
  }
  return socket;
}
const ofType = (socket: WsReader<Frame>, type: string) => socket.frames.filter((frame) => frame.type === type);

describe('the WebSocket', () => {
  test('greets by name, subscribes, publishes and delivers what SSE would', async () => {
    const socket = await open(ana);
    expect(ofType(socket, 'welcome')[0]).toMatchObject({ protocol: 'boardwire.v1', user: { id: ana.id, name: 'ana' } });
    socket.send({ type: 'subscribe', sub: 'a"1', board: 'events', subjects: ['AxonChat.>'] });
    await socket.until((frame) => frame.type === 'caught_up' && frame['sub'] === 'a"1');
    expect(ofType(socket, 'resumed')[0]).toMatchObject({ replayed: 0 });
    socket.send({
      type: 'publish',
      req: 7,
      board: 'events',
      event: { subject: 'AxonChat.lobby', type: 'chat.message.posted', data: { text: 'by socket' } },
    });
    const ack = await socket.until((frame) => frame.type === 'ack' && frame['req'] === 7);
    const event = ofType(socket, 'event')[0] ?? (await socket.until((frame) => frame.type === 'event'));
    expect(event).toMatchObject({
      sub: 'a"1',
      cursor: ack['cursor'],
      event: { data: { text: 'by socket' }, author: ana.id },
    });
  });

  test('resumes after a cursor with exactly what was missed, and resets an old epoch', async () => {
    const seen = (await say(site.url, ana, 'seen')).body.cursor;
    const missed = [(await say(site.url, ana, 'one')).body.cursor, (await say(site.url, ana, 'two')).body.cursor];
    const socket = await open(ana);
    socket.send({ type: 'subscribe', sub: 's', board: 'events', subjects: ['AxonChat.>'], after: seen });
    await socket.until((frame) => frame.type === 'caught_up');
    expect(ofType(socket, 'event').map((frame) => frame['cursor'])).toEqual(missed);
    socket.send({ type: 'subscribe', sub: 'old', board: 'events', subjects: ['AxonChat.>'], after: 'aaaaaaaa-3' });
    expect(await socket.until((frame) => frame.type === 'reset')).toMatchObject({
      sub: 'old',
      reason: 'epoch',
      requested: 'aaaaaaaa-3',
    });
  });

  test('beats with the cursor of every subscription', async () => {
    const socket = await open(ana);
    socket.send({ type: 'subscribe', sub: 'quiet', board: 'events', subjects: ['GameScore.quiet'] });
    await socket.until((frame) => frame.type === 'caught_up');
    const { cursor } = (await say(site.url, ana, 'elsewhere')).body;
    await socket.until(
      (frame) => frame.type === 'heartbeat' && (frame['cursors'] as Record<string, string>)['quiet'] === cursor,
    );
  });

  test('tells who is here, once per person, and who leaves', async () => {
    const socket = await open(ana);
    socket.send({ type: 'subscribe', sub: 'p', board: 'events', subjects: ['AxonChat.>'] });
    await socket.until((frame) => frame.type === 'caught_up');
    socket.send({ type: 'presence', sub: 'p' });
    const list = await socket.until((frame) => frame.type === 'presence' && frame['event'] === 'list');
    expect((list['users'] as { id: string }[]).filter((user) => user.id === ana.id)).toHaveLength(1);
    const bob = await signInAsGuest(site.url, 'bob');
    const tabs = [await open(bob), await open(bob)];
    for (const tab of tabs) {
      tab.send({ type: 'subscribe', sub: 'x', board: 'events', subjects: ['AxonChat.>'] });
      await tab.until((frame) => frame.type === 'caught_up');
    }
    const joined = (frame: Frame) =>
      frame.type === 'presence' && frame['event'] === 'join' && (frame['user'] as { id: string }).id === bob.id;
    if (!socket.frames.some(joined)) await socket.until(joined);
    for (const tab of tabs) tab.close();
    const left = (frame: Frame) =>
      frame.type === 'presence' && frame['event'] === 'leave' && (frame['user'] as { id: string }).id === bob.id;
    await socket.until(left, { timeoutMs: 15_000 });
    expect(socket.frames.filter(joined)).toHaveLength(1);
    expect(socket.frames.filter(left)).toHaveLength(1);
  }, 40_000);

  test('answers history as HTTP does, page by page, and refuses by the request', async () => {
    const socket = await open(ana);
    const subject = 'GameScore.pages';
    for (let at = 0; at < 5; at += 1) await say(site.url, ana, `p${at}`, { subject });
    const url = `${site.url}/v1/boards/events/events?subject=${subject}&limit=2`;
    const http = await call<Frame>(url, { token: ana.token });
    socket.send({ type: 'history', req: 'newest', board: 'events', subjects: [subject], limit: 2 });
    const newest = await socket.until((frame) => frame.type === 'history' && frame['req'] === 'newest');
    expect(newest['answer']).toEqual(http.body);
    const texts: unknown[] = [];
    for (let after: string | null = 'start'; after !== null;) {
      socket.send({ type: 'history', req: after, board: 'events', subjects: [subject], after, limit: 2 });
      const page = await socket.until((frame) => frame.type === 'history' && frame['req'] === after);
      const answer = page['answer'] as { events: { data: { text: string } }[]; next: string | null };
      texts.push(...answer.events.map(({ data }) => data.text));
      after = answer.next;
    }
    expect(texts).toEqual(['p0', 'p1', 'p2', 'p3', 'p4']);
    const refused: [string, object][] = [
      ['invalid_cursor', { after: 'no cursor' }],
      ['invalid_cursor', { after: 'aaaaaaaa-1' }],
      ['invalid_filter', { subjects: ['a..b'] }],
      ['invalid', { limit: 501 }],
      ['invalid', { limit: 1.5 }],
      ['invalid', { types: ['a b'] }],
      ['forbidden', { subjects: ['federation.x'] }],
      ['board_unknown', { board: 'nowhere' }],
    ];
    for (const [code, over] of refused) {
      const req = JSON.stringify(over);
      socket.send({ type: 'history', req, board: 'events', ...over });
      expect(await socket.until((frame) => frame['req'] === req)).toMatchObject({ type: 'fail', code });
    }
  });

  test('holds one page of history at a time for a slow reader, and the pages fit beside live events', async () => {
    const subject = 'GameScore.large';
    const text = 'x'.repeat(60_000);
    for (let at = 0; at < 12; at += 1) await say(site.url, ana, text, { subject });
    const socket = await open(ana);
    for (let req = 0; req < 20; req += 1) {
      socket.send({ type: 'history', req, board: 'events', subjects: [subject], after: 'start', limit: 500 });
    }
    socket.socket.pause();
    await new Promise((resolve) => setTimeout(resolve, 300));
    socket.socket.resume();
    for (let req = 0; req < 20; req += 1) {
      const page = await socket.until((frame) => frame.type === 'history' && frame['req'] === req);
      const { events, next } = page['answer'] as { events: unknown[]; next: string | null };
      // Half an outbox of 1 MiB: some of them now, the rest behind `next`.
      expect(events.length).toBeGreaterThanOrEqual(5);
      expect(events.length).toBeLessThan(12);
      expect(next).not.toBeNull();
    }
    expect(socket.closed).toBeUndefined();
  });

  test('answers a ping at once', async () => {
    const socket = await open(ana);
    socket.send({ type: 'ping', req: 'p1' });
    expect(await socket.until((frame) => frame.type === 'pong')).toMatchObject({ req: 'p1' });
  });

  test('says revoked and closes with 4001 when the session ends elsewhere', async () => {
    const eve = await signInAsGuest(site.url, 'eve');
    const socket = await open(eve);
    socket.send({ type: 'subscribe', sub: 's', board: 'events', subjects: ['AxonChat.>'] });
    await socket.until((frame) => frame.type === 'caught_up');
    await call(`${site.url}/v1/auth/logout`, { token: eve.token, json: {} });
    await socket.until((frame) => frame.type === 'revoked', { timeoutMs: 3_000 });
    expect((await socket.ended()).code).toBe(4001);
  });
});

describe('a socket that does not follow the protocol', () => {
  test.each([
    ['no JSON', 'hello', 4010],
    ['an unknown type', { type: 'dance' }, 4010],
    ['an unknown field', { type: 'ping', seq: 1 }, 4010],
    ['a list', [], 4010],
  ])('is closed for %s', async (_what, frame, code) => {
    const socket = await open(ana);
    socket.send(frame);
    expect((await socket.ended()).code).toBe(code);
  });
  test('is closed for binary, and with 1009 for a frame above every limit', async () => {
    const binary = await open(ana);
    binary.socket.send(Buffer.from([1, 2, 3]));
    expect((await binary.ended()).code).toBe(4010);
    const large = await open(ana);
    large.send({ type: 'auth', token: 'a'.repeat(300_000) });
    expect((await large.ended()).code).toBe(1009);
  });
  test('is closed with 4001 for a bad token, or none before the first request', async () => {
    const bad = await open();
    bad.send({ type: 'auth', token: 'abc' });
    expect((await bad.ended()).code).toBe(4001);
    const none = await open();
    none.send({ type: 'subscribe', sub: 's', board: 'events', subjects: ['>'] });
    expect((await none.ended()).code).toBe(4001);
  });
  test('is told which request was refused and why, and stays open', async () => {
    const socket = await open(ana);
    socket.send({ type: 'subscribe', sub: 'n', board: 'nowhere', subjects: ['>'] });
    expect(await socket.until((frame) => frame.type === 'fail' && frame['sub'] === 'n')).toMatchObject({
      code: 'board_unknown',
    });
    socket.send({ type: 'subscribe', sub: 'f', board: 'events', subjects: ['federation.>'] });
    expect(await socket.until((frame) => frame.type === 'fail' && frame['sub'] === 'f')).toMatchObject({
      code: 'forbidden',
    });
    socket.send({ type: 'publish', req: 1, board: 'events', event: { subject: 'federation.x', type: 'a' } });
    expect(await socket.until((frame) => frame.type === 'fail' && frame['req'] === 1)).toMatchObject({
      code: 'forbidden',
    });
    socket.send({ type: 'ping', req: 'alive' });
    await socket.until((frame) => frame.type === 'pong');
  });
  test('is refused with its status before the upgrade: another path, a foreign origin', async () => {
    await expect(WsReader.open(`${site.url.replace('http', 'ws')}/v1/nowhere`)).rejects.toMatchObject({ status: 404 });
    await expect(
      WsReader.open(`${site.url.replace('http', 'ws')}/v1/ws`, { headers: { origin: 'http://evil.example' } }),
    ).rejects.toMatchObject({ status: 403 });
    const plain = await call(`${site.url}/v1/ws`, { token: ana.token });
    expect(plain.status).toBe(426);
  });
  test('that vanishes in the middle of a frame does no harm', async () => {
    const { hostname, port } = new URL(site.url);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write(
          `GET /v1/ws HTTP/1.1\r\nhost: ${hostname}:${port}\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\nsec-websocket-protocol: boardwire.v1\r\n\r\n`,
        );
        socket.once('data', () => {
          socket.write(Buffer.from([0x81, 0xfe, 0x7f, 0xff, 1, 2]));
          setTimeout(() => socket.resetAndDestroy(), 50);
        });
      });
      socket.on('close', () => resolve());
    });
    const socket = await open(ana);
    socket.send({ type: 'ping' });
    await socket.until((frame) => frame.type === 'pong');
  });
});
