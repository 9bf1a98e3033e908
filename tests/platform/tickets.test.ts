import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { BoardwireClient } from '@boardwire/client';
import { eventually, SseReader, WsReader } from '@boardwire/test-kit';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BrowserEventSource } from '../support/browser-event-source.ts';
import { call, say, signInAsGuest, type Person } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

type Frame = Record<string, unknown> & { type: string };

let site: TestSite;
const tickets: string[] = [];
const sources: BrowserEventSource[] = [];

beforeAll(async () => {
  site = await startTestSite({ mode: 'processes', gateways: 2, hasProxy: true });
}, 90_000);
afterEach(() => {
  for (const source of sources.splice(0)) source.close();
});
afterAll(async () => {
  await site?.stop();
}, 30_000);

const gatewayUrls = () => ['gateway', 'gateway-2'].map((name) => site.site.services[name]!.publicUrl!);
const forLobby = { board: 'events', subjects: ['AxonChat.lobby'] };

async function ticketFor(person: Person, wanted: unknown = forLobby): Promise<string> {
  const answer = await call<{ ticket: string }>(`${site.url}/v1/stream-tickets`, { token: person.token, json: wanted });
  expect(answer.status).toBe(201);
  tickets.push(answer.body.ticket);
  return answer.body.ticket;
}
const addressOf = (ticket: string, url = site.url, query = '') =>
  `${url}/v1/boards/events/stream?subject=AxonChat.lobby&ticket=${ticket}${query}`;

function follow(url: string): BrowserEventSource {
  const source = new BrowserEventSource(url);
  sources.push(source);
  return source;
}
const isLive = (source: BrowserEventSource, connects = 1) =>
  eventually(
    () => {
      expect(source.connects).toBeGreaterThanOrEqual(connects);
      expect(source.blocks.some(({ event }) => event === 'caught_up')).toBe(true);
      expect(source.isOpen).toBe(true);
    },
    { timeoutMs: 15_000 },
  );

describe('an event stream by ticket', () => {
  test('comes back by itself on another gateway when its own is killed, and misses nothing', async () => {
    const person = await signInAsGuest(site.url, 'ticket kill');
    const source = follow(addressOf(await ticketFor(person)));
    await isLive(source);
    const expected: string[] = [];
    const post = async (text: string) => {
      for (;;) {
        // oxlint-disable-next-line no-await-in-loop -- repeated with its id until a gateway takes it
        const answer = await say(site.url, person, text, { id: text }).catch(() => undefined);
        if (answer !== undefined && answer.status < 300) return void expected.push(answer.body.cursor);
        // oxlint-disable-next-line no-await-in-loop
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    for (let at = 0; at < 5; at += 1) await post(`before ${at}`);
    for (const name of ['gateway', 'gateway-2']) {
      await site.site.services[name]!.kill();
      for (let at = 0; at < 5; at += 1) await post(`after ${name} ${at}`);
      await eventually(() => expect(source.cursors).toEqual(expected), { timeoutMs: 20_000 });
      await site.site.services[name]!.start();
    }
    expect(source.deadWith).toBeUndefined();
    expect(source.connects).toBeGreaterThan(1);
    await site.isWellAgain();
  }, 90_000);

  test('ends within a second of logout on both of two gateways, and never opens again', async () => {
    const person = await signInAsGuest(site.url, 'ticket logout');
    const streams = await Promise.all(
      gatewayUrls().map(async (url) => SseReader.open(addressOf(await ticketFor(person), url))),
    );
    for (const stream of streams) await stream.until(({ event }) => event === 'caught_up');
    const again = await ticketFor(person);
    const began = performance.now();
    await call(`${site.url}/v1/auth/logout`, { token: person.token, json: {} });
    const revoked = await Promise.all(streams.map((stream) => stream.until(({ event }) => event === 'revoked')));
    for (const { receivedAt } of revoked) expect(receivedAt - began).toBeLessThan(1_000);
    for (const url of gatewayUrls()) {
      const refused = await call(addressOf(again, url));
      expect(refused).toMatchObject({ status: 401, body: { code: 'ticket_refused' } });
    }
  }, 30_000);

  test('outlives the access token: refreshing it elsewhere does nothing to it', async () => {
    const person = await signInAsGuest(site.url, 'ticket refresh');
    const stream = await SseReader.open(addressOf(await ticketFor(person)));
    await stream.until(({ event }) => event === 'caught_up');
    const { refreshToken } = person;
    const refreshed = await call<{ accessToken: string }>(`${site.url}/v1/auth/refresh`, { json: { refreshToken } });
    const { cursor } = (await say(site.url, { ...person, token: refreshed.body.accessToken }, 'still here')).body;
    await stream.until(({ id }) => id === cursor);
    stream.close();
  });

  test('of a ticket that opens again ends, here and on another gateway', async () => {
    const person = await signInAsGuest(site.url, 'ticket twice');
    const [one, two] = gatewayUrls() as [string, string];
    const ticket = await ticketFor(person);
    let last = await SseReader.open(addressOf(ticket, one));
    await last.until(({ event }) => event === 'caught_up');
    for (const url of [one, two, one]) {
      const next = await SseReader.open(addressOf(ticket, url));
      await next.until(({ event }) => event === 'caught_up');
      await last.ended({ timeoutMs: 2_000 });
      expect(next.isOpen).toBe(true);
      last = next;
    }
    last.close();
  }, 20_000);

  test('is refused for what the ticket is not for, and for what is no ticket', async () => {
    const person = await signInAsGuest(site.url, 'ticket scope');
    const ticket = await ticketFor(person);
    const status = async (url: string, token?: string) => {
      const { status: code, body } = await call(url, token === undefined ? {} : { token });
      return [code, body['code']];
    };
    const stream = `${site.url}/v1/boards/events/stream`;
    expect(await status(`${stream}?subject=AxonChat.other&ticket=${ticket}`)).toEqual([403, 'forbidden']);
    expect(await status(`${stream}?ticket=${ticket}`)).toEqual([403, 'forbidden']);
    expect(await status(`${site.url}/v1/boards/forum/stream?subject=AxonChat.lobby&ticket=${ticket}`)).toEqual([
      403,
      'forbidden',
    ]);
    expect(await status(`${stream}?subject=AxonChat.lobby&ticket=${'x'.repeat(43)}`)).toEqual([401, 'ticket_refused']);
    expect(await status(`${stream}?subject=AxonChat.lobby&ticket=`)).toEqual([400, 'invalid']);
    expect(await status(addressOf(ticket), person.token)).toEqual([400, 'invalid']);
    expect(await status(`${site.url}/v1/boards/events/events?ticket=${ticket}`)).toEqual([401, 'token_missing']);
    expect(await status(`${site.url}/v1/stream-tickets`)).toEqual([401, 'token_missing']);
    // What was refused was no use of it.
    const open = await SseReader.open(addressOf(ticket, site.url, '&last=1&named=1'));
    expect(open.status).toBe(200);
    open.close();
  });

  test('is told to come back later, with 200, while chat can’t be asked', async () => {
    const person = await signInAsGuest(site.url, 'ticket outage');
    const source = follow(addressOf(await ticketFor(person)));
    await isLive(source);
    await site.site.services['chat']!.kill();
    try {
      const refused = await SseReader.open(addressOf(await Promise.resolve(tickets.at(-1)!)), { timeoutMs: 15_000 });
      expect(refused.status).toBe(200);
      expect((await refused.until(({ event }) => event === 'reconnect')).data).toContain('"busy"');
    } finally {
      await site.site.services['chat']!.start();
    }
    await site.isWellAgain();
    await isLive(source);
    expect(source.deadWith).toBeUndefined();
    const { cursor } = (await say(site.url, person, 'after the outage')).body;
    await eventually(() => expect(source.cursors).toContain(cursor), { timeoutMs: 15_000 });
  }, 60_000);
});

describe('a socket by ticket', () => {
  const socketUrl = (ticket: string, url = site.url) => `${url.replace('http', 'ws')}/v1/ws?ticket=${ticket}`;
  const protocols = ['boardwire.v1'];

  test('opens once, as the account behind it, and ends with the session', async () => {
    const person = await signInAsGuest(site.url, 'ticket socket');
    const ticket = await ticketFor(person, { transport: 'ws' });
    const socket = await WsReader.open<Frame>(socketUrl(ticket), { protocols });
    expect(await socket.next()).toMatchObject({ type: 'welcome', user: { id: person.id } });
    await expect(WsReader.open(socketUrl(ticket), { protocols })).rejects.toMatchObject({ status: 401 });
    socket.send({ type: 'subscribe', sub: 's', board: 'events', subjects: ['AxonChat.lobby'] });
    await socket.until(({ type }) => type === 'caught_up');
    await call(`${site.url}/v1/auth/logout`, { token: person.token, json: {} });
    await socket.until(({ type }) => type === 'revoked', { timeoutMs: 1_000 });
    expect((await socket.ended()).code).toBe(4001);
  });

  test('is refused with a stream’s ticket, and a stream with a socket’s', async () => {
    const person = await signInAsGuest(site.url, 'ticket mixed');
    const [stream, socket] = [await ticketFor(person), await ticketFor(person, { transport: 'ws' })];
    await expect(WsReader.open(socketUrl(stream), { protocols })).rejects.toMatchObject({ status: 401 });
    const headers = { authorization: `Bearer ${person.token}` };
    await expect(WsReader.open(socketUrl(socket), { protocols, headers })).rejects.toMatchObject({ status: 400 });
    expect((await call(addressOf(socket))).status).toBe(401);
  });
});

describe('the SDK', () => {
  test('gives an address that opens without a header', async () => {
    const client = new BoardwireClient({ baseUrl: site.url });
    await client.accounts.guest('ticket sdk');
    const url = await client.streamUrl('events', { subjects: ['AxonChat.lobby'], last: 1, isNamed: true });
    tickets.push(new URL(url).searchParams.get('ticket')!);
    const source = follow(url);
    await isLive(source);
    const { ticket } = await client.streamTicket({ transport: 'ws' });
    tickets.push(ticket);
    const socket = await WsReader.open<Frame>(`${site.url.replace('http', 'ws')}/v1/ws?ticket=${ticket}`);
    expect(await socket.next()).toMatchObject({ type: 'welcome', user: { name: 'ticket sdk' } });
    socket.close();
    client.close();
  });
});

test('no ticket stands in a log line or a metric of the run', async () => {
  expect(tickets.length).toBeGreaterThan(5);
  const folder = join(site.site.dataDir, 'logs');
  const logs = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')));
  const metrics = await Promise.all(
    Object.values(site.site.services).map(async ({ internalUrl }) => (await fetch(`${internalUrl}/metrics`)).text()),
  );
  const text = [...logs, ...metrics].join('\n');
  expect(text).toContain('connection.closed');
  expect(text).toMatch(/boardwire_auth_failures_total\{reason="ticket_refused"\} [1-9]/);
  expect(tickets.filter((ticket) => text.includes(ticket))).toEqual([]);
});
