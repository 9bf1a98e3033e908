import http from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Body, Controller, Get, HttpCode, Module, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  AppError,
  InternalClient,
  commonConfig,
  createContext,
  readConfig,
  startInternalServer,
  withCorrelation,
  type InternalServer,
  type ServiceContext,
} from '../src/index.ts';

let seen: http.IncomingHttpHeaders = {};

@Controller('internal/v1')
class TestController {
  @Post('echo')
  @HttpCode(200)
  echo(@Body() body: unknown, @Req() request: FastifyRequest) {
    seen = request.headers;
    return { body };
  }

  @Get('taken')
  taken() {
    throw new AppError('name_taken', { detail: 'by ada', errors: [{ path: 'name', message: 'taken' }] });
  }

  @Get('session')
  session() {
    throw new AppError('token_expired');
  }

  @Get('fault')
  fault() {
    throw new Error('inner');
  }

  @Get('slow')
  slow() {
    return new Promise(() => {});
  }

  @Get('lines')
  lines(@Res() reply: FastifyReply) {
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'application/x-ndjson' });
    reply.raw.write('{"n":1}\n');
    setTimeout(() => reply.raw.end('{"n":2}\n'), 300);
  }

  @Post('nothing')
  @HttpCode(204)
  nothing() {}
}

@Module({ controllers: [TestController] })
class TestModule {}

let server: InternalServer;
let caller: ServiceContext;
let client: InternalClient;

const contextOf = (name: string, secret = 's'.repeat(32)) =>
  createContext(name, readConfig(commonConfig, { INTERNAL_SECRET: secret, LOG_LEVEL: 'silent' }));

beforeAll(async () => {
  server = await startInternalServer(contextOf('chat'), TestModule, { host: '127.0.0.1', port: 0 });
});
beforeEach(() => {
  caller = contextOf('gateway');
  client = new InternalClient({ context: caller, service: 'chat', baseUrl: server.url });
});
afterAll(() => server.close());

const get = (path: string, more: { timeoutMs?: number; signal?: AbortSignal } = {}) =>
  client.request({ method: 'GET', path: `/internal/v1/${path}`, route: `/internal/v1/${path}`, ...more });

async function refusal(request: Promise<unknown>): Promise<AppError> {
  const error = await request.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AppError);
  return error as AppError;
}

describe('a request', () => {
  test('carries token, trace, key and deadline, and answers what the schema says', async () => {
    const trace = 'ab'.repeat(16);
    const answer = await withCorrelation(trace, () =>
      client.request({
        method: 'POST',
        path: '/internal/v1/echo?a=1',
        route: '/internal/v1/echo',
        body: { text: 'grüße' },
        schema: z.object({ body: z.object({ text: z.string() }) }),
        idempotencyKey: 'key-1',
        timeoutMs: 1_234,
      }),
    );
    expect(answer.body.text).toBe('grüße');
    expect(seen).toMatchObject({ 'idempotency-key': 'key-1', 'boardwire-deadline': '1234' });
    expect(seen['traceparent']).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
  });

  test('with an empty answer is undefined', async () => {
    const answer = await client.request({ method: 'POST', path: '/internal/v1/nothing', route: 'nothing' });
    expect(answer).toBeUndefined();
  });

  test('keeps its connections', async () => {
    for (let n = 0; n < 20; n += 1) await client.request({ method: 'POST', path: '/internal/v1/nothing', route: 'n' });
    const connections = await new Promise<number>((resolve, reject) =>
      (server.app.getHttpServer() as http.Server).getConnections((error, n) => (error ? reject(error) : resolve(n))),
    );
    expect(connections).toBeLessThan(12);
  });
});

describe('a refusal', () => {
  test('of the callee comes back with its code, detail and fields', async () => {
    const error = await refusal(get('taken'));
    expect(error.toProblem()).toMatchObject({ code: 'name_taken', detail: 'by ada', errors: [{ path: 'name' }] });
    expect(await refusal(get('session'))).toMatchObject({ code: 'token_expired' });
  });

  test.each([
    ['a fault of the callee', () => get('fault')],
    ['no answer in time', () => get('slow', { timeoutMs: 100 })],
    [
      'nobody there',
      () =>
        new InternalClient({ context: contextOf('gateway'), service: 'chat', baseUrl: 'http://127.0.0.1:1' }).request({
          method: 'GET',
          path: '/',
          route: '/',
        }),
    ],
  ])('%s is upstream_unavailable, to be repeated', async (_name, run) => {
    const error = await refusal(run());
    expect(error.toProblem()).toMatchObject({ code: 'upstream_unavailable', status: 503, retryAfterMs: 1_000 });
  });

  test('of our own service token is a fault of ours, not of the user', async () => {
    const stranger = new InternalClient({
      context: contextOf('gateway', 'x'.repeat(32)),
      service: 'chat',
      baseUrl: server.url,
    });
    await expect(
      stranger.request({ method: 'GET', path: '/internal/v1/taken', route: 't' }),
    ).rejects.not.toBeInstanceOf(AppError);
  });

  test('an answer against the contract is a fault of ours', async () => {
    const request = client.request({
      method: 'POST',
      path: '/internal/v1/echo',
      route: 'e',
      schema: z.object({ x: z.string() }),
      body: {},
    });
    await expect(request).rejects.toThrow('against its contract');
  });

  test('comes at once when too much is pending', async () => {
    const small = new InternalClient({
      context: contextOf('gateway'),
      service: 'chat',
      baseUrl: server.url,
      pendingMax: 1,
    });
    const abort = new AbortController();
    const first = small.request({ method: 'GET', path: '/internal/v1/slow', route: 's', signal: abort.signal });
    expect(await refusal(small.request({ method: 'GET', path: '/internal/v1/taken', route: 't' }))).toMatchObject({
      code: 'overloaded',
    });
    abort.abort();
    await expect(first).rejects.toBeInstanceOf(AppError);
  });
});

test('a stream outlives the time that its headers had, and is read line by line', async () => {
  const response = await client.stream({ method: 'GET', path: '/internal/v1/lines', route: 'l', timeoutMs: 200 });
  expect(await response.body.text()).toBe('{"n":1}\n{"n":2}\n');
});

test('a refused stream throws, a forwarded answer does not', async () => {
  const request = { method: 'GET', path: '/internal/v1/taken', route: 't' } as const;
  expect(await refusal(client.stream(request))).toMatchObject({ code: 'name_taken' });
  const forwarded = await client.forward(request);
  expect(forwarded.statusCode).toBe(409);
  await forwarded.body.dump();
});

test('the time of each request is measured by callee, route and code', async () => {
  await refusal(get('taken'));
  await refusal(get('slow', { timeoutMs: 50 }));
  const text = await caller.metrics.registry.metrics();
  expect(text).toContain(
    'boardwire_internal_http_seconds_count{callee="chat",route="/internal/v1/taken",code="409"} 1',
  );
  expect(text).toContain(
    'boardwire_internal_http_seconds_count{callee="chat",route="/internal/v1/slow",code="none"} 1',
  );
});
