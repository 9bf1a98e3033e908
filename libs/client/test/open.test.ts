import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { boardListSchema } from '@boardwire/contracts';
import { BoardwireClient, BoardwireError } from '../src/index.ts';
import { PracticeSite } from './practice-site.ts';

let site: PracticeSite;
let client: BoardwireClient;

beforeEach(async () => {
  site = new PracticeSite();
  await site.start();
  client = new BoardwireClient({ baseUrl: site.url });
  await client.accounts.guest('ana');
});

afterEach(async () => {
  client.close();
  await site.stop();
});

test('an answer of any route can be read as it comes, or by its contract', async () => {
  const response = await client.open({ path: '/v1/boards', accept: 'application/json' });
  expect(await response.json()).toHaveProperty('boards');
  const { boards } = await client.request({ path: '/v1/boards', answer: boardListSchema });
  expect(boards).toHaveLength(1);
});

test('a token that is refused is renewed, once', async () => {
  site.acceptsToken = (token) => token.endsWith('~2');
  expect((await client.open({ path: '/v1/boards' })).status).toBe(200);
  expect(site.requests.filter((line) => line.includes('/boards'))).toHaveLength(2);
  site.acceptsToken = () => false;
  await expect(client.open({ path: '/v1/boards' })).rejects.toMatchObject({ code: 'token_expired' });
});

test('a refusal and a site that is away are errors of this SDK', async () => {
  site.refusals.push({ path: '/boards', code: 'forbidden' });
  await expect(client.open({ path: '/v1/boards' })).rejects.toBeInstanceOf(BoardwireError);
  await site.stop();
  await expect(client.open({ path: '/v1/boards' })).rejects.toMatchObject({ code: 'network' });
});

test('only the beginning of an answer is bounded in time; it ends by its signal', async () => {
  const stop = new AbortController();
  const path = '/v1/boards/events/stream';
  const response = await client.open({ path, query: { subject: '>' }, timeoutMs: 300, signal: stop.signal });
  const reader = response.body!.getReader();
  await reader.read();
  await new Promise((resolve) => setTimeout(resolve, 400));
  const next = reader.read();
  site.post('late');
  expect(new TextDecoder().decode((await next).value)).toContain('late');
  stop.abort();
  await expect(reader.read()).rejects.toThrow();
});
