import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WsReader } from '@boardwire/test-kit';
import { CloudEvent, HTTP, type SdkEvent } from '../support/cloud-events.ts';
import { call, say, signInAsGuest, type Person } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

interface Message extends SdkEvent {
  cursor?: string;
}

let site: TestSite;
let ana: Person;
const sockets: WsReader<Message>[] = [];
beforeAll(async () => {
  site = await startTestSite({ env: { HEARTBEAT_MS: '300' } });
  ana = await signInAsGuest(site.url, 'ana');
}, 60_000);
afterAll(async () => {
  for (const socket of sockets) socket.close();
  await site?.stop();
}, 30_000);

async function open(query: string, person: Person | null = ana, protocols = ['cloudevents.json']) {
  const socket = await WsReader.open<Message>(`${site.url.replace('http', 'ws')}/v1/ws${query}`, {
    protocols,
    ...(person === null ? {} : { headers: { authorization: `Bearer ${person.token}` } }),
  });
  sockets.push(socket);
  return socket;
}
const ofType = (type: string) => (message: Message) => message.type === type;
const isEvent = ({ source }: Message) => source.startsWith('/users/');
const note = (over: Record<string, unknown> = {}, person = ana) =>
  new CloudEvent({ source: `/users/${person.id}`, type: 'note', subject: 'GameScore.ws', data: { a: 1 }, ...over });

describe('a WebSocket of the CloudEvents binding', () => {
  test('brings what the board has, each message an event that the package takes, and takes what it makes', async () => {
    const socket = await open('?board=events&subject=GameScore.ws&subject=GameScore.more&last=0');
    expect(socket.socket.protocol).toBe('cloudevents.json');
    await socket.until(ofType('boardwire.caught_up'));
    const sent = [
      note(),
      note({ subject: 'GameScore.more', data: Uint8Array.of(1, 2, 3), datacontenttype: 'image/png', mine: 'x' }),
    ];
    for (const event of sent) socket.send(event.toString());
    for (const event of sent) {
      const message = await socket.until(isEvent);
      expect(message).toMatchObject({
        id: event.id,
        author: ana.id,
        cursor: expect.stringMatching(/^[a-z0-9]{8}-\d+$/),
      });
      const again = await call<{ events: Message[] }>(`${site.url}/v1/boards/events/events?subject=${event.subject}`, {
        token: ana.token,
      });
      expect(again.body.events.at(-1)).toEqual(message);
    }
    for (const message of socket.frames) {
      const headers = { 'content-type': 'application/cloudevents+json' };
      expect(
        new CloudEvent({ ...(HTTP.toEvent({ headers, body: JSON.stringify(message) }) as SdkEvent) }),
      ).toBeDefined();
    }
  });

  test('resumes by cursor, beats with it, and says what no longer holds', async () => {
    const subject = 'GameScore.resume';
    const seen = (await say(site.url, ana, 'seen', { subject })).body.cursor;
    const missed = [
      (await say(site.url, ana, 'one', { subject })).body.cursor,
      (await say(site.url, ana, 'two', { subject })).body.cursor,
    ];
    const socket = await open(`?board=events&subject=${subject}&after=${seen}`);
    await socket.until(ofType('boardwire.caught_up'));
    expect(socket.frames.filter(isEvent).map(({ cursor }) => cursor)).toEqual(missed);
    // A loaded machine may have to say first that the board stalls.
    const [first] = socket.frames.filter(({ type }) => type !== 'boardwire.stalled');
    expect(first).toMatchObject({ type: 'boardwire.resumed', cursor: seen, source: '/boards/events' });
    const { cursor } = (await say(site.url, ana, 'elsewhere')).body;
    await socket.until((message) => message.type === 'boardwire.heartbeat' && message.cursor === cursor);
    const old = await open('?board=events&after=aaaaaaaa-3');
    expect(await old.until(ofType('boardwire.reset'))).toMatchObject({ data: { reason: 'epoch' } });
  });

  test('brings an ephemeral event without a cursor', async () => {
    const admin = await site.admin();
    const rules = [{ pattern: 'drag.>', class: 'ephemeral' }];
    const made = await call(`${site.url}/v1/boards`, {
      token: admin.token,
      json: { slug: 'moves', title: 'Moves', rules },
    });
    expect(made.status).toBe(201);
    const socket = await open('?board=moves', admin);
    await socket.until(ofType('boardwire.caught_up'));
    socket.send(note({ subject: 'drag.a', source: `/users/${admin.id}` }, admin).toString());
    const message = await socket.until(isEvent);
    expect(message).toMatchObject({ subject: 'drag.a', class: 'ephemeral' });
    expect(message).not.toHaveProperty('cursor');
  });

  test.each([
    ['no JSON', () => 'hello', 4010, 'malformed'],
    ['no event', () => '[]', 4010, 'invalid'],
    ['another’s source', () => note({ source: '/users/else' }).toString(), 4010, 'invalid_source'],
    ['a subject that is not its own', () => note({ subject: 'federation.x' }).toString(), 4003, 'forbidden'],
  ])('closes for %s, and says why before', async (_what, text, close, code) => {
    const socket = await open('?board=events&subject=GameScore.none');
    await socket.until(ofType('boardwire.caught_up'));
    socket.send(text());
    expect(await socket.until(ofType('boardwire.refused'))).toMatchObject({ data: { code } });
    expect(await socket.ended()).toEqual({ code: close, reason: code });
  });

  test('closes with 4009 above the rate, and for binary with 4010', async () => {
    const eve = await signInAsGuest(site.url, 'eve');
    const socket = await open('?board=events&subject=GameScore.none', eve);
    const text = note({ source: `/users/${eve.id}` }, eve).toString();
    for (let at = 0; at < 300; at += 1) socket.send(text);
    expect((await socket.ended()).code).toBe(4009);
    const binary = await open('?board=events');
    binary.socket.send(Buffer.from([1]));
    expect((await binary.ended()).code).toBe(4010);
  });

  test('ends with 4001 when the session ends', async () => {
    const bob = await signInAsGuest(site.url, 'bob');
    const socket = await open('?board=events&subject=AxonChat.>', bob);
    await socket.until(ofType('boardwire.caught_up'));
    await call(`${site.url}/v1/auth/logout`, { token: bob.token, json: {} });
    await socket.until(ofType('boardwire.revoked'));
    expect((await socket.ended()).code).toBe(4001);
  });

  test.each([
    ['without a token', '?board=events', false, 401],
    ['without a board', '', true, 400],
    ['with two boards', '?board=events&board=forum', true, 400],
    ['with an unknown board', '?board=nowhere', true, 404],
    ['with nothing it may read', '?board=events&subject=federation.x', true, 403],
    ['with an unknown parameter', '?board=events&colour=red', true, 400],
    ['with no cursor', '?board=events&after=x', true, 400],
  ])('is refused before the upgrade %s', async (_what, query, hasToken, status) => {
    await expect(open(query, hasToken ? ana : null)).rejects.toMatchObject({ status });
  });

  test('opens by ticket, as a browser has to', async () => {
    const { body } = await call<{ ticket: string }>(`${site.url}/v1/stream-tickets`, {
      token: ana.token,
      json: { transport: 'ws' },
    });
    const socket = await open(`?board=events&ticket=${body.ticket}`, null);
    await socket.until(ofType('boardwire.caught_up'));
  });

  test('gives way to boardwire.v1 where both are offered', async () => {
    const socket = await open('', ana, ['cloudevents.json', 'boardwire.v1']);
    expect(socket.socket.protocol).toBe('boardwire.v1');
  });
});
