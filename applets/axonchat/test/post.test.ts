import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { encodeIdentity, internalHeaders, type AppendItem, type ForwardedIdentity } from '@boardwire/contracts';
import {
  AppError,
  commonConfig,
  createContext,
  readConfig,
  ServiceTokens,
  startInternalServer,
  type InternalServer,
} from '@boardwire/service-kit';
import { axonchatModule } from '../src/axonchat.module.ts';
import { AxonchatErrors } from '../src/http/axonchat-errors.ts';
import { axonchatMetrics } from '../src/metrics.ts';
import { PostMessage } from '../src/post/post-message.ts';

const secret = 's'.repeat(32);
const ana: ForwardedIdentity = {
  userId: 'u1',
  name: 'Ana Åström',
  roles: ['guest'],
  sessionId: 's1',
  boards: [{ board: 'events', publish: ['AxonChat', 'AxonChat.>'], subscribe: ['>'] }],
};

let server: InternalServer;
let token: string;
let metricsText: () => Promise<string>;
const appended: { board: string; item: AppendItem }[] = [];
let failure: AppError | undefined;

beforeAll(async () => {
  const config = readConfig(commonConfig, { INTERNAL_SECRET: secret, LOG_LEVEL: 'silent', NODE_ENV: 'test' });
  const context = createContext('applets', config);
  const chat = {
    append: (board: string, item: AppendItem) => {
      if (failure !== undefined) return Promise.reject(failure);
      appended.push({ board, item });
      return Promise.resolve(appended.length);
    },
  };
  const module = axonchatModule(new PostMessage(chat, axonchatMetrics(context.metrics)));
  const errors = new AxonchatErrors(context.logger);
  server = await startInternalServer(context, module, { host: '127.0.0.1', port: 0, errors });
  token = await new ServiceTokens('gateway', secret).issue('applets');
  metricsText = () => context.metrics.registry.metrics();
});
afterAll(() => server?.close());
beforeEach(() => {
  appended.length = 0;
  failure = undefined;
});

async function post(
  body: unknown,
  { identity = ana as ForwardedIdentity | null, path = 'post', method = 'POST' } = {},
) {
  const response = await fetch(`${server.url}/internal/v1/applets/axonchat/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(method === 'GET' ? {} : { 'content-type': 'application/json' }),
      ...(identity === null ? {} : { [internalHeaders.identity]: encodeIdentity(identity) }),
    },
    ...(method === 'GET' ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: JSON.parse(text) as Record<string, unknown> };
}

test('posts in the lobby as the identity that the gateway forwards', async () => {
  const answer = await post({ text: ' שלום 👋 ', nickname: 'somebody else' });
  expect(answer).toMatchObject({ status: 201, body: { status: 'message posted', message_id: 1 } });
  expect(appended).toEqual([
    {
      board: 'events',
      item: expect.objectContaining({
        subject: 'AxonChat.lobby',
        type: 'chat.message.posted',
        source: '/users/u1',
        author: 'u1',
        authorname: 'Ana Åström',
        data: { text: ' שלום 👋 ' },
      }),
    },
  ]);
});

test.each([[{}], [{ text: '' }], [{ text: ' \n ' }], ['[]'], ['null'], ['']])('refuses the blank %j', async (body) => {
  const answer = await post(body);
  expect(answer).toMatchObject({ status: 400, body: { error: 'Message text cannot be empty.' } });
  expect(appended).toEqual([]);
});

test.each([[{ text: 5 }], [{ text: ['a'] }], ['{"text":'], [`{"text":${'['.repeat(200)}${']'.repeat(200)}}`]])(
  'refuses %j in its own words',
  async (body) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toContain('application/json');
    expect(answer.body).toEqual({ error: expect.any(String) });
  },
);

test('refuses who may not write in the lobby, and who is nobody', async () => {
  const boards = [{ board: 'events', publish: ['GameScore.>', 'AxonChat'], subscribe: ['>'] }];
  expect(await post({ text: 'x' }, { identity: { ...ana, boards } })).toMatchObject({
    status: 403,
    body: { error: 'This account may not post here.' },
  });
  expect((await post({ text: 'x' }, { identity: null })).status).toBe(401);
  expect(appended).toEqual([]);
});

test('passes on what chat refuses, with the time after which a repeat makes sense', async () => {
  failure = new AppError('upstream_unavailable', { detail: 'chat cannot be reached', retryAfterMs: 2_000 });
  const answer = await post({ text: 'x' });
  expect(answer).toMatchObject({ status: 503, body: { error: 'chat cannot be reached' } });
  expect(answer.headers.get('retry-after')).toBe('2');
});

test('answers other paths and methods in its own words', async () => {
  expect(await post(undefined, { path: 'nothing' })).toMatchObject({
    status: 404,
    body: { error: expect.any(String) },
  });
  expect(await post(undefined, { method: 'GET' })).toMatchObject({ status: 405, body: { error: expect.any(String) } });
});

test('counts posts by outcome', async () => {
  await post({ text: 'x' });
  expect(await metricsText()).toMatch(/boardwire_axonchat_posts_total\{outcome="posted"\} [1-9]/);
});
