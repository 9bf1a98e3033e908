import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { BoardwireClient, BoardwireError } from '../src/index.ts';
import { eventually } from './eventually.ts';
import { PracticeSite } from './practice-site.ts';

let site: PracticeSite;
let client: BoardwireClient;

beforeEach(async () => {
  site = new PracticeSite();
  await site.start();
  client = new BoardwireClient({
    baseUrl: site.url,
    outbox: { eventsMax: 300 },
    backoff: { firstMs: 5, baseMs: 20, maxMs: 100 },
  });
  await client.accounts.guest('ana');
});

afterEach(async () => {
  client.close();
  await site.stop();
});

const event = (data: number, type = 'note') => ({ subject: 'AxonChat.lobby', type, data });
const posted = () => site.log.map(({ data }) => data);
const posts = () => site.requests.filter((line) => line.startsWith('POST /v1/boards')).length;

test('a published event is confirmed with its place', async () => {
  const receipt = await client.publish('events', { ...event(1), id: 'mine' });
  expect(receipt).toMatchObject({ id: 'mine', board: 'events', seq: 1, cursor: site.cursor(1) });
});

test('events keep their order, and what waits travels together', async () => {
  const receipts = await Promise.all(Array.from({ length: 100 }, (_, at) => client.publish('events', event(at))));
  expect(receipts.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, at) => at + 1));
  expect(posts()).toBeLessThan(10);
});

test('an attempt whose answer was lost is repeated and is one event', async () => {
  site.refusals.push({ path: '/events', code: 'upstream_unavailable', isStoredFirst: true });
  const receipt = await client.publish('events', event(1));
  expect(receipt.seq).toBe(1);
  expect(posted()).toEqual([1]);
  expect(posts()).toBe(2);
});

test('a rate limit is waited out', async () => {
  site.refusals.push({ path: '/events', code: 'rate_limited', retryAfterMs: 200 });
  const from = Date.now();
  await client.publish('events', event(1));
  expect(Date.now() - from).toBeGreaterThanOrEqual(195);
});

test('what is published while the site is down is sent in order when it is back', async () => {
  await site.stop();
  const pending = [1, 2, 3].map((data) => client.publish('events', event(data)));
  expect(client.pendingEvents).toBe(3);
  await site.start();
  await eventually(() => {
    client.wake();
    expect(posted()).toEqual([1, 2, 3]);
  });
  await Promise.all(pending);
  expect(client.pendingEvents).toBe(0);
});

test('a refused event fails alone, and those behind it go on', async () => {
  const results = await Promise.allSettled([
    client.publish('events', event(0)),
    client.publish('events', event(1)),
    client.publish('events', event(2, 'refused')),
    client.publish('events', event(3)),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  expect(posted()).toEqual([0, 1, 3]);
});

test('a batch that is refused as a whole goes one by one', async () => {
  site.refusals.push({ path: '/events', code: 'invalid' });
  const receipts = await Promise.all([1, 2, 3].map((data) => client.publish('events', event(data))));
  expect(receipts.map(({ seq }) => seq)).toEqual([1, 2, 3]);
});

test('a refusal carries its code and does not come back', async () => {
  site.refusals.push({ path: '/events', code: 'forbidden' });
  await expect(client.publish('events', event(1))).rejects.toMatchObject({ code: 'forbidden', status: 403 });
  expect(posts()).toBe(1);
});

test('the outbox is bounded', async () => {
  await site.stop();
  const pending = Promise.allSettled(Array.from({ length: 300 }, (_, at) => client.publish('events', event(at))));
  await expect(client.publish('events', event(300))).rejects.toMatchObject({ code: 'outbox_full' });
  client.close();
  const outcomes = await pending;
  expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
});

test('an event that could not be sent for too long is given up', async () => {
  const impatient = new BoardwireClient({ baseUrl: site.url, outbox: { ageMaxMs: 50 } });
  await impatient.accounts.guest('ben');
  await site.stop();
  await expect(impatient.publish('events', event(1))).rejects.toMatchObject({ code: 'gave_up' });
  impatient.close();
});

test('many requests with an expired token share one renewal', async () => {
  site.acceptsToken = (token) => token !== 'ana~1';
  await Promise.all(Array.from({ length: 20 }, () => client.boards()));
  expect(site.tokens).toBe(2);
});

test('a session that is refused ends, and says so', async () => {
  const changes: unknown[] = [];
  client.onSession((session) => changes.push(session));
  site.acceptsToken = () => false;
  site.refusals.push({ path: 'refresh', code: 'token_revoked' });
  await expect(client.boards()).rejects.toMatchObject({ code: 'token_revoked' });
  expect(changes).toEqual([undefined]);
  await expect(client.boards()).rejects.toMatchObject({ code: 'signed_out' });
});

test('a site that is out of reach does not end the session', async () => {
  site.acceptsToken = () => false;
  site.refusals.push({ path: 'refresh', code: 'upstream_unavailable' });
  await expect(client.boards()).rejects.toBeInstanceOf(BoardwireError);
  expect(client.session).toBeDefined();
});

test('logout ends the session here even when the site is out of reach', async () => {
  await site.stop();
  await expect(client.accounts.logout()).rejects.toMatchObject({ code: 'network' });
  expect(client.session).toBeUndefined();
});

test('history, boards and presence are answered in their shapes', async () => {
  for (const data of [1, 2, 3]) site.post(data);
  const page = await client.history('events', { subjects: ['AxonChat.>'], limit: 2 });
  expect(page.events.map(({ cursor, data }) => [cursor, data])).toEqual([
    [site.cursor(2), 2],
    [site.cursor(3), 3],
  ]);
  expect((await client.boards()).map(({ slug }) => slug)).toEqual(['events']);
  expect(await client.presence('events')).toEqual({ count: 0, users: [] });
});
