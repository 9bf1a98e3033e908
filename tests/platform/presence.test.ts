import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { BoardwireClient, type SocketConstructor } from '@boardwire/client';
import { ServiceTokens } from '@boardwire/service-kit';
import { eventually, WsReader } from '@boardwire/test-kit';
import { WebSocket } from 'ws';
import { call, say, signInAsGuest, type Person } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

type Frame = Record<string, unknown> & { type: string };
type Presence = { count: number; users: { id: string; name: string }[] };

const beatMs = 500;
const graceMs = 2_000;
const gateways = ['gateway', 'gateway-2', 'gateway-3'];

let site: TestSite;
let [ana, bob, cleo]: Person[] = [];
let open: WsReader<Frame>[] = [];
beforeAll(async () => {
  const env = { PRESENCE_BEAT_MS: String(beatMs), LEAVE_GRACE_MS: String(graceMs) };
  site = await startTestSite({ mode: 'processes', gateways: gateways.length, env });
  [ana, bob, cleo] = await Promise.all(['ana', 'bob', 'cleo'].map((name) => signInAsGuest(site.url, name)));
}, 90_000);
afterEach(async () => {
  for (const socket of open) socket.close();
  open = [];
  // Whatever a test that failed has left.
  await site.infrastructure.nats.start();
  await Promise.all(gateways.map((name) => site.site.services[name]!.start()));
  await everywhere([]);
}, 30_000);
afterAll(() => site?.stop(), 30_000);

const urlOf = (gateway: number) => site.gatewayUrl(gateway + 1);

/** A WebSocket of a person on a gateway, which reads the lobby. */
async function read(person: Person, gateway: number, subjects = ['AxonChat.lobby']): Promise<WsReader<Frame>> {
  const url = `${urlOf(gateway).replace('http', 'ws')}/v1/ws`;
  const socket = await WsReader.open<Frame>(url, { headers: { authorization: `Bearer ${person.token}` } });
  open.push(socket);
  socket.send({ type: 'subscribe', sub: 's', board: 'events', subjects });
  await socket.until((frame) => frame.type === 'caught_up');
  return socket;
}

async function watch(person: Person, gateway: number): Promise<WsReader<Frame>> {
  const socket = await read(person, gateway);
  socket.send({ type: 'presence', sub: 's', state: 'on', req: 'watch' });
  await socket.until((frame) => frame.type === 'ack' && frame['req'] === 'watch');
  return socket;
}

/** What came after the first list: `+ana`, `-ana`. */
function told(socket: WsReader<Frame>): string[] {
  return socket.frames
    .filter(({ type, event }) => type === 'presence' && event !== 'list')
    .map((frame) => `${frame['event'] === 'join' ? '+' : '-'}${(frame['user'] as Person).name}`);
}

function typing(socket: WsReader<Frame>): string[] {
  return socket.frames
    .filter(({ type }) => type === 'typing')
    .map((frame) => `${(frame['user'] as Person).name} ${frame['on'] === true ? 'types' : 'stops'}`);
}

async function presence(gateway: number): Promise<Presence> {
  const url = `${urlOf(gateway)}/v1/boards/events/presence?subject=AxonChat.lobby`;
  return (await call<Presence>(url, { token: ana!.token })).body;
}

/** Every gateway that runs answers with these people. */
async function everywhere(people: Person[], timeoutMs = 15_000): Promise<void> {
  const expected = people.map(({ name }) => name).toSorted();
  await eventually(
    async () => {
      for (const gateway of gateways.keys()) {
        // oxlint-disable-next-line no-await-in-loop -- one gateway after the other
        const { users, count } = await presence(gateway);
        expect([gateway, users.map(({ name }) => name).toSorted(), count]).toEqual([
          gateway,
          expected,
          expected.length,
        ]);
      }
    },
    { timeoutMs, everyMs: 50 },
  );
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('presence on three gateways', () => {
  test('is one person for two tabs on two of them, and answers everywhere alike', async () => {
    const cleos = await watch(cleo!, 2);
    const tabs = [await read(ana!, 0), await read(ana!, 1, ['AxonChat', 'AxonChat.lobby'])];
    // Two gateways tell of two people: which of them is heard first, nobody promises.
    await eventually(() => expect(told(cleos)).toEqual(['+ana']));
    await read(bob!, 1);
    await everywhere([ana!, bob!, cleo!]);
    const board = await call<{ subscribers: number }>(`${urlOf(2)}/v1/boards/events`, { token: ana!.token });
    expect(board.body.subscribers).toBe(4);
    tabs[0]!.close();
    await pause(graceMs + 500);
    expect(told(cleos)).toEqual(['+ana', '+bob']);
    tabs[1]!.close();
    await cleos.until(({ event }) => event === 'leave', { timeoutMs: graceMs + 2_000 });
    expect(told(cleos)).toEqual(['+ana', '+bob', '-ana']);
    cleos.send({ type: 'presence', sub: 's', state: 'off', req: 'off' });
    await cleos.until(({ type, req }) => type === 'ack' && req === 'off');
    await read(ana!, 0);
    await everywhere([ana!, bob!, cleo!]);
    await pause(200);
    expect(told(cleos)).toHaveLength(3);
  });

  test('shows nobody who reads something else, and answers services as well', async () => {
    await read(ana!, 0, ['GameScore.>']);
    const bobs = await watch(bob!, 1);
    await everywhere([bob!]);
    expect(bobs.frames.find(({ event }) => event === 'list')).toMatchObject({ count: 1, users: [{ name: 'bob' }] });
    const path = '/internal/v1/presence?board=events&subject=GameScore.7';
    const headers = {
      authorization: `Bearer ${await new ServiceTokens('applets', site.site.internalSecret).issue('gateway')}`,
    };
    const url = site.internalUrl('gateway-3');
    expect((await call<Presence>(`${url}${path}`, { headers })).body.users).toEqual([{ id: ana!.id, name: 'ana' }]);
    expect((await call(`${url}${path}`)).status).toBe(401);
    expect((await call(`${url}/internal/v1/presence?board=nowhere`, { headers })).status).toBe(404);
  });

  test('nobody is seen to go who moves to another gateway when one restarts', async () => {
    const cleos = await watch(cleo!, 2);
    const anas = await read(ana!, 1);
    await eventually(() => expect(told(cleos)).toEqual(['+ana']));
    await read(bob!, 0);
    await everywhere([ana!, bob!, cleo!]);
    const stopping = site.site.services['gateway-2']!.stop();
    await anas.until(({ type }) => type === 'reconnect');
    await read(ana!, 0);
    await stopping;
    await site.site.services['gateway-2']!.start();
    await everywhere([ana!, bob!, cleo!]);
    await pause(graceMs + 500);
    expect(told(cleos)).toEqual(['+ana', '+bob']);
  }, 30_000);

  test('who was on a gateway that is killed is gone after three beats', async () => {
    const cleos = await watch(cleo!, 2);
    await read(ana!, 1);
    await everywhere([ana!, cleo!]);
    const killedAt = performance.now();
    await site.site.services['gateway-2']!.kill();
    await cleos.until(({ event }) => event === 'leave', { timeoutMs: 10_000 });
    const goneMs = performance.now() - killedAt;
    expect(goneMs).toBeGreaterThan(3 * beatMs - 100);
    // Beats, and what of the grace they have not used up, on a busy machine.
    expect(goneMs).toBeLessThan(4 * beatMs + graceMs + 3_000);
    // Each gateway counts beats by its own clock.
    await eventually(async () => expect((await presence(0)).users).toEqual([{ id: cleo!.id, name: 'cleo' }]));
    await site.site.services['gateway-2']!.start();
    await read(ana!, 1);
    await everywhere([ana!, cleo!]);
    await eventually(() => expect(told(cleos)).toEqual(['+ana', '-ana', '+ana']));
  }, 30_000);

  test('is right again after the bus was gone, and nobody was seen to go for that', async () => {
    const cleos = await watch(cleo!, 2);
    const anas = await read(ana!, 0);
    await eventually(() => expect(told(cleos)).toEqual(['+ana']));
    await read(bob!, 1);
    await everywhere([ana!, bob!, cleo!]);
    await site.infrastructure.nats.kill();
    await pause(6 * beatMs);
    expect(told(cleos)).toEqual(['+ana', '+bob']);
    anas.close();
    await read(cleo!, 0);
    await site.infrastructure.nats.start();
    await everywhere([bob!, cleo!]);
    await eventually(() => expect(told(cleos)).toEqual(['+ana', '+bob', '-ana']));
    await site.isWellAgain();
  }, 40_000);
});

describe('typing on three gateways', () => {
  const type = (on: boolean, more: Record<string, unknown> = {}) => ({
    type: 'typing',
    board: 'events',
    subject: 'AxonChat.lobby',
    on,
    ...more,
  });

  test('is seen by those who read the subject, and not by the typist’s own connections', async () => {
    const [anas, otherTab] = [await read(ana!, 0), await read(ana!, 1)];
    const [bobs, cleos] = [await read(bob!, 1), await read(cleo!, 2, ['GameScore.>'])];
    anas.send(type(true, { req: 1 }));
    await anas.until(({ type: kind, req }) => kind === 'ack' && req === 1);
    expect(await bobs.until(({ type: kind }) => kind === 'typing')).toEqual({
      type: 'typing',
      board: 'events',
      subject: 'AxonChat.lobby',
      user: { id: ana!.id, name: 'ana' },
      on: true,
    });
    // It runs out 3 s after the last keystroke.
    await bobs.until(({ on }) => on === false, { timeoutMs: 5_000 });
    expect(typing(bobs)).toEqual(['ana types', 'ana stops']);
    for (const socket of [anas, otherTab, cleos]) expect(typing(socket)).toEqual([]);
  });

  test('ends with a post of the typist on another gateway, and when the typist leaves', async () => {
    const anas = await read(ana!, 0);
    const bobs = await read(bob!, 2);
    anas.send(type(true));
    await bobs.until(({ on }) => on === true);
    expect((await say(urlOf(1), ana!, 'said')).status).toBe(201);
    await bobs.until(({ on }) => on === false, { timeoutMs: 1_000 });
    anas.send(type(true));
    await bobs.until(({ on }) => on === true);
    anas.terminate();
    await bobs.until(({ on }) => on === false, { timeoutMs: 1_000 });
    expect(typing(bobs)).toEqual(['ana types', 'ana stops', 'ana types', 'ana stops']);
  });

  test('is refused where one may not post, and the connection stays', async () => {
    const anas = await read(ana!, 0);
    const bobs = await read(bob!, 1, ['>']);
    for (const [req, extra, code] of [
      [1, { subject: 'Elsewhere.1' }, 'forbidden'],
      [2, { subject: 'AxonChat.*' }, 'invalid_subject'],
      [3, { board: 'nowhere' }, 'board_unknown'],
    ] as const) {
      anas.send(type(true, { ...extra, req }));
      // oxlint-disable-next-line no-await-in-loop -- one refusal after the other
      expect(await anas.until((frame) => frame['req'] === req)).toMatchObject({ type: 'fail', code });
    }
    anas.send({ type: 'ping', req: 'still here' });
    await anas.until(({ req }) => req === 'still here');
    expect(typing(bobs)).toEqual([]);
  });
});

describe('the SDK on two gateways', () => {
  test('tells who is here and who types, until they post or go', async () => {
    const clients = [bob!, ana!].map(
      (person, gateway) =>
        new BoardwireClient({
          baseUrl: urlOf(gateway),
          tokenProvider: () => Promise.resolve(person.token),
          webSocket: WebSocket as unknown as SocketConstructor,
        }),
    );
    const [bobs, anas] = clients as [BoardwireClient, BoardwireClient];
    const seen = { people: [] as string[], typists: [] as string[] };
    bobs.follow('events', {
      subjects: ['AxonChat.lobby'],
      onEvent: () => {},
      onPresence: ({ users }) => (seen.people = users.map(({ name }) => name).toSorted()),
      onTyping: (typists) => (seen.typists = typists.map(({ user, subject }) => `${user.name} in ${subject}`)),
    });
    await eventually(() => expect(seen.people).toEqual(['bob']));
    const follow = anas.follow('events', { subjects: ['AxonChat.lobby'], onEvent: () => {} });
    await eventually(() => expect(seen.people).toEqual(['ana', 'bob']));
    // One may not post there: it is refused, and the follow goes on.
    follow.typing('Elsewhere');
    follow.typing('AxonChat.lobby');
    await eventually(() => expect(seen.typists).toEqual(['ana in AxonChat.lobby']));
    await anas.publish('events', { subject: 'AxonChat.lobby', type: 'chat.message.posted', data: { text: 'typed' } });
    await eventually(() => expect(seen.typists).toEqual([]));
    follow.typing('AxonChat.lobby', false);
    follow.typing('AxonChat.lobby');
    await eventually(() => expect(seen.typists).toHaveLength(1));
    anas.close();
    await eventually(() => expect(seen).toEqual({ people: ['bob'], typists: [] }));
    expect(follow.state.error).toBeUndefined();
    bobs.close();
  }, 20_000);
});
