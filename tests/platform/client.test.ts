import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BoardwireClient, type BoardFollow, type SocketConstructor } from '@boardwire/client';
import { eventually } from '@boardwire/test-kit';
import { WebSocket } from 'ws';
import { call } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

let site: TestSite;
const clients: BoardwireClient[] = [];

beforeAll(async () => {
  site = await startTestSite({ mode: 'processes', env: { HEARTBEAT_MS: '500', LEAVE_GRACE_MS: '200' } });
}, 120_000);
afterAll(async () => {
  for (const client of clients) client.close();
  await site?.stop();
}, 30_000);

async function guest(nickname: string): Promise<BoardwireClient> {
  const client = new BoardwireClient({
    baseUrl: site.url,
    webSocket: WebSocket as unknown as SocketConstructor,
    heartbeatMs: 500,
    presencePollMs: 200,
    backoff: { firstMs: 50, baseMs: 200, maxMs: 1_000 },
  });
  clients.push(client);
  await client.accounts.guest(nickname);
  return client;
}

const isPhase = (follow: BoardFollow, phase: string) =>
  eventually(() => expect(follow.state.phase).toBe(phase), { timeoutMs: 20_000 });
const post = (client: BoardwireClient, subject: string, number: number) =>
  client.publish('events', { subject, type: 'count.raised', data: { number } });

describe.each(['websocket', 'sse'] as const)('the SDK by %s against a whole site', (transport) => {
  test('loses nothing and repeats nothing while the gateway is killed again and again', async () => {
    const subject = `AxonChat.killed-${transport}`;
    const [reader, writer] = [await guest(`reader by ${transport}`), await guest(`writer by ${transport}`)];
    const [numbers, cursors, resets]: [number[], string[], unknown[]] = [[], [], []];
    const follow = reader.follow('events', {
      subjects: [subject],
      transport,
      onEvent: (event, { cursor }) => {
        numbers.push((event.data as { number: number }).number);
        cursors.push(cursor!);
      },
      onReset: (reset) => resets.push(reset),
    });
    await isPhase(follow, 'live');

    const receipts: Promise<{ cursor: string }>[] = [];
    let isWriting = true;
    const writing = (async () => {
      while (isWriting) {
        receipts.push(post(writer, subject, receipts.length));
        // oxlint-disable-next-line no-await-in-loop -- a steady pace
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    const { gateway } = site.site.services;
    for (let round = 1; round <= 2; round += 1) {
      const goal = receipts.length + 40;
      await eventually(() => expect(receipts.length).toBeGreaterThan(goal), { timeoutMs: 20_000 });
      await gateway!.kill();
      await isPhase(follow, 'reconnecting');
      await gateway!.start();
      await isPhase(follow, 'live');
    }
    isWriting = false;
    await writing;
    const placed = (await Promise.all(receipts)).map(({ cursor }) => cursor);
    await eventually(() => expect(numbers).toHaveLength(placed.length), { timeoutMs: 20_000 });
    expect(numbers).toEqual(placed.map((_, at) => at));
    expect(cursors).toEqual(placed);
    expect(resets).toEqual([]);
  }, 120_000);

  test('moves its cursor by heartbeats on a quiet subject', async () => {
    const client = await guest(`quiet by ${transport}`);
    const follow = client.follow('events', {
      subjects: ['AxonChat.quiet'],
      transport,
      onEvent: () => expect('nothing').toBe('to come'),
    });
    await isPhase(follow, 'live');
    const { cursor } = await post(client, 'AxonChat.busy', 1);
    await eventually(() => expect(follow.cursor).toBe(cursor));
  });

  test('is told to reload when its cursor is of another life of the board', async () => {
    const client = await guest(`old by ${transport}`);
    const resets: { reason: string }[] = [];
    const follow = client.follow('events', {
      subjects: ['AxonChat.>'],
      after: 'aaaaaaaa-3',
      transport,
      onEvent: () => undefined,
      onReset: (reset) => resets.push(reset),
    });
    await isPhase(follow, 'live');
    expect(resets.map(({ reason }) => reason)).toEqual(['epoch']);
  });

  test('ends within a second of signing out', async () => {
    const client = await guest(`leaver by ${transport}`);
    const follow = client.follow('events', { subjects: ['AxonChat.>'], transport, onEvent: () => undefined });
    await isPhase(follow, 'live');
    const from = Date.now();
    await client.accounts.logout();
    await isPhase(follow, 'closed');
    expect(Date.now() - from).toBeLessThan(1_500);
    await expect(client.boards()).rejects.toMatchObject({ code: 'signed_out' });
  });

  test('sees who else is here', async () => {
    const [one, other] = [await guest(`first by ${transport}`), await guest(`second by ${transport}`)];
    let names: string[] = [];
    const follow = one.follow('events', {
      subjects: [`AxonChat.here-${transport}`],
      transport,
      onEvent: () => undefined,
      onPresence: ({ users }) => {
        names = users.map(({ name }) => name);
      },
    });
    await isPhase(follow, 'live');
    const second = other.follow('events', {
      subjects: [`AxonChat.here-${transport}`],
      transport,
      onEvent: () => undefined,
    });
    const isHere = () => expect(names).toContain(`second by ${transport}`);
    await eventually(isHere, { timeoutMs: 15_000 });
    second.close();
    await eventually(() => expect(names).not.toContain(`second by ${transport}`), { timeoutMs: 15_000 });
  }, 40_000);
});

test('a renewed token keeps a session going; who lost the answer gets it again, who comes with an older one is out', async () => {
  const client = await guest('renewer');
  const first = client.session!.refreshToken;
  const { name } = await client.accounts.me();
  expect(name).toBe('renewer');
  const renew = async (refreshToken: string) => {
    const url = `${site.url}/v1/auth/refresh`;
    const { status, body } = await call<{ refreshToken: string }>(url, { json: { refreshToken } });
    return { status, next: body?.refreshToken };
  };
  const { status, next } = await renew(first);
  expect(status).toBe(200);
  expect(await renew(first)).toEqual({ status: 200, next });
  expect((await renew(next)).status).toBe(200);
  expect((await renew(first)).status).toBe(401);
});
