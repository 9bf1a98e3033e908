import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Reset } from '@boardwire/contracts';
import { WebSocket } from 'ws';
import { BoardwireClient, type BoardFollow, type FollowOptions, type SocketConstructor } from '../src/index.ts';
import { eventually } from './eventually.ts';
import { PracticeSite } from './practice-site.ts';

let site: PracticeSite;
let client: BoardwireClient;

beforeEach(async () => {
  site = new PracticeSite();
  await site.start();
  client = new BoardwireClient({
    baseUrl: site.url,
    webSocket: WebSocket as unknown as SocketConstructor,
    heartbeatMs: 200,
    presencePollMs: 30,
    backoff: { firstMs: 5, baseMs: 20, maxMs: 100 },
  });
  await client.accounts.guest('ana');
});

afterEach(async () => {
  client.close();
  await site.stop();
});

/** Silence is part of some tests: others are fed, as the real site does. */
function keepAlive(): () => void {
  const timer = setInterval(() => {
    for (const listener of site.listeners) listener.heartbeat(site.cursor());
  }, 50);
  return () => clearInterval(timer);
}

interface Watched {
  follow: BoardFollow;
  seen: number[];
  phases: string[];
  resets: Reset[];
}

function watch(options: Partial<FollowOptions>): Watched {
  const [seen, phases, resets]: [number[], string[], Reset[]] = [[], [], []];
  const follow = client.follow('events', {
    onEvent: (event, { cursor }) => seen.push(cursor === undefined ? -1 : (event.data as number)),
    onState: ({ phase }) => (phases.at(-1) === phase ? undefined : phases.push(phase)),
    onReset: (reset) => resets.push(reset),
    ...options,
  });
  return { follow, seen, phases, resets };
}

const live = ({ follow }: Watched) => eventually(() => follow.state.phase === 'live');
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);

describe.each(['websocket', 'sse'] as const)('following by %s', (transport) => {
  let stopHeartbeats: () => void;
  beforeEach(() => {
    stopHeartbeats = keepAlive();
  });
  afterEach(() => stopHeartbeats());

  test('hands over what was skipped', async () => {
    const skips: number[] = [];
    const watched = watch({ transport, overflow: 'conflate', onSkipped: (count) => skips.push(count) });
    await live(watched);
    for (const listener of site.listeners) listener.say('skipped', { count: 3 }, site.cursor());
    await eventually(() => skips.length === 1);
    expect(skips).toEqual([3]);
  });

  test('gets the newest events oldest first, then live ones', async () => {
    for (const data of numbers(1, 10)) site.post(data);
    const watched = watch({ transport, last: 3 });
    await live(watched);
    site.post(11);
    await eventually(() => expect(watched.seen).toEqual([8, 9, 10, 11]));
    expect(watched.phases).toEqual(['connecting', 'catching_up', 'live']);
  });

  test('goes on from the cursor after the connection was cut, and each event comes once', async () => {
    const watched = watch({ transport, after: 'start' });
    await live(watched);
    for (const round of numbers(1, 5)) {
      site.post(round * 2 - 1);
      site.cut();
      site.post(round * 2);
      await eventually(() => expect(watched.seen).toHaveLength(round * 2));
    }
    expect(watched.seen).toEqual(numbers(1, 10));
    expect(watched.resets).toEqual([]);
  });

  test('has a cursor before its first event', async () => {
    for (const data of numbers(1, 4)) site.post(data);
    const watched = watch({ transport });
    await live(watched);
    expect(watched.follow.cursor).toBe(site.cursor(4));
    site.cut();
    site.post(5);
    await eventually(() => expect(watched.seen).toEqual([5]));
  });

  test('moves its cursor by heartbeats while its own subjects are quiet', async () => {
    const watched = watch({ transport, subjects: ['quiet'] });
    await live(watched);
    site.post(1, { subject: 'busy' });
    await eventually(() => expect(watched.follow.cursor).toBe(site.cursor(1)));
    expect(watched.seen).toEqual([]);
  });

  test('hands out nothing twice when a site repeats itself', async () => {
    for (const data of numbers(1, 5)) site.post(data);
    site.repeatsFrom = 3;
    const watched = watch({ transport, last: 3 });
    await eventually(() => expect(watched.seen).toEqual([3, 4, 5]));
    site.cut();
    site.post(6);
    await eventually(() => expect(watched.seen).toEqual([3, 4, 5, 6]));
  });

  test('tells of a reset and goes on live in the new epoch', async () => {
    site.post(1);
    const watched = watch({ transport, after: 'start' });
    await live(watched);
    site.epoch = 'newepoch';
    site.cut();
    await eventually(() => expect(watched.resets).toHaveLength(1));
    expect(watched.resets[0]).toMatchObject({ reason: 'epoch', requested: 'practice-1' });
    await live(watched);
    site.post(2);
    await eventually(() => expect(watched.seen).toEqual([1, 2]));
    expect(watched.follow.cursor).toBe('newepoch-2');
  });

  test('does not swallow a gap that the site made: the app is told to reload', async () => {
    for (const data of numbers(1, 3)) site.post(data);
    const watched = watch({ transport, after: 'start' });
    await live(watched);
    site.skips = 1;
    site.cut();
    for (const data of numbers(4, 6)) site.post(data);
    await eventually(() => expect(watched.resets).toHaveLength(1));
    expect(watched.resets[0]).toMatchObject({ requested: site.cursor(3), reason: 'unknown' });
  });

  test('takes an event of an epoch that nobody announced for a reason to ask anew', async () => {
    const watched = watch({ transport });
    await live(watched);
    site.epoch = 'silently';
    site.post(1);
    await eventually(() => expect(watched.resets).toHaveLength(1));
    expect(watched.seen).toEqual([]);
  });

  test('comes back when the site asks for it, not before the time given', async () => {
    const watched = watch({ transport });
    await live(watched);
    const from = Date.now();
    for (const listener of site.listeners) listener.reconnect(300);
    await eventually(() => watched.follow.state.phase === 'reconnecting');
    await live(watched);
    expect(Date.now() - from).toBeGreaterThanOrEqual(295);
  });

  test('takes silence for death and comes back', async () => {
    const watched = watch({ transport });
    await live(watched);
    stopHeartbeats();
    await eventually(() => expect(watched.phases.filter((phase) => phase === 'reconnecting')).toHaveLength(1));
    await eventually(() => watched.follow.state.phase === 'live');
  });

  test('waits out a site that is down', async () => {
    const watched = watch({ transport });
    await live(watched);
    await site.stop();
    await eventually(() => watched.follow.state.phase === 'reconnecting');
    site.post(1);
    await site.start();
    client.wake();
    await eventually(() => expect(watched.seen).toEqual([1]));
  });

  test('shows a new token when the old one is refused', async () => {
    site.acceptsToken = (token) => token !== 'ana~1';
    const watched = watch({ transport });
    await live(watched);
    expect(client.session?.accessToken).toBe('ana~2');
  });

  test('replaces its token before it expires, without losing an event', async () => {
    site.accessTokenMs = 400;
    await client.accounts.guest('ben');
    const watched = watch({ transport });
    await live(watched);
    const first = client.session!.accessToken;
    await eventually(() => client.session!.accessToken !== first);
    await live(watched);
    site.post(1);
    await eventually(() => expect(watched.seen).toEqual([1]));
  });

  test('ends when no token will do', async () => {
    site.acceptsToken = () => false;
    const watched = watch({ transport });
    await eventually(() => watched.follow.state.phase === 'closed');
    expect(site.tokens).toBeLessThan(8);
  });

  test('ends with the session', async () => {
    const watched = watch({ transport });
    await live(watched);
    site.refusals.push({ path: 'refresh', code: 'token_revoked' });
    site.acceptsToken = () => false;
    for (const listener of site.listeners) listener.end(4001);
    await eventually(() => watched.follow.state.phase === 'closed');
    expect(client.session).toBeUndefined();
  });

  test('is over after close: no event, no connection', async () => {
    const watched = watch({ transport });
    await live(watched);
    watched.follow.close();
    await eventually(() => site.listeners.size === 0);
    site.post(1);
    expect(watched.follow.state.phase).toBe('closed');
    expect(watched.seen).toEqual([]);
  });
});

test('a WebSocket close that says stop is obeyed', async () => {
  const watched = watch({});
  await live(watched);
  for (const listener of site.listeners) listener.end(4003);
  await eventually(() => watched.follow.state.phase === 'closed');
  expect(watched.follow.state.error?.code).toBe('socket_closed');
});

test('a refused stream says why', async () => {
  site.refusals.push({ path: '/stream', code: 'board_unknown' });
  const watched = watch({ transport: 'sse' });
  await eventually(() => watched.follow.state.phase === 'closed');
  expect(watched.follow.state.error).toMatchObject({ code: 'board_unknown', status: 404 });
});

test('a busy site is asked again when it said', async () => {
  site.refusals.push({ path: '/stream', code: 'overloaded', retryAfterMs: 150 });
  const from = Date.now();
  const watched = watch({ transport: 'sse' });
  await live(watched);
  expect(Date.now() - from).toBeGreaterThanOrEqual(145);
});

test.each(['websocket', 'sse'] as const)(
  'who is here comes with a follow by %s, once per person',
  async (transport) => {
    const lists: string[][] = [];
    watch({ transport, onPresence: ({ users }) => lists.push(users.map(({ name }) => name)) });
    await eventually(() => expect(lists.at(-1)).toEqual(['ana']));
    const other = new BoardwireClient({ baseUrl: site.url, webSocket: WebSocket as unknown as SocketConstructor });
    await other.accounts.guest('ben');
    other.follow('events', { onEvent: () => undefined, onPresence: () => undefined });
    await eventually(() => expect(lists.at(-1)).toEqual(['ana', 'ben']));
    other.close();
    await eventually(() => expect(lists.at(-1)).toEqual(['ana']));
  },
);
