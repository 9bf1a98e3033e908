import net from 'node:net';
import { problemSchema } from '@boardwire/contracts';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Body, Controller, Get, Module, Param, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  AppError,
  callerOf,
  commonConfig,
  createContext,
  readConfig,
  startInternalServer,
  type InternalServer,
  type ServiceContext,
} from '../src/index.ts';

const noteSchema = z.strictObject({ text: z.string().min(1) });

@Controller()
class NotesController {
  @Get('/notes/:id')
  note(@Param('id') id: string, @Query('q') query?: string) {
    return { id, query };
  }

  @Post('/notes')
  add(@Body({ schema: noteSchema }) note: z.infer<typeof noteSchema>) {
    return note;
  }

  @Get('/boom')
  boom() {
    throw new Error('the secret recipe');
  }

  @Get('/busy')
  busy() {
    throw new AppError('overloaded', { retryAfterMs: 1_500 });
  }

  @Get('/half')
  half(@Res() reply: FastifyReply) {
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'application/x-ndjson' });
    reply.raw.write('{"n":1}\n');
    throw new Error('midway');
  }

  @Get('/hijacked')
  hijacked(@Res() reply: FastifyReply) {
    reply.hijack();
    throw new AppError('board_unknown');
  }

  @Post('/raw')
  raw(@Req() request: FastifyRequest) {
    return { bytes: (request.body as Buffer).length };
  }

  @Get('/internal/v1/who')
  who(@Req() request: FastifyRequest) {
    return { caller: callerOf(request) };
  }
}

@Module({ controllers: [NotesController] })
class NotesModule {}

let server: InternalServer;
let context: ServiceContext;

beforeAll(async () => {
  const config = readConfig(commonConfig, { INTERNAL_SECRET: 's'.repeat(32), LOG_LEVEL: 'silent', NODE_ENV: 'test' });
  context = createContext('chat', config);
  server = await startInternalServer(context, NotesModule, {
    host: '127.0.0.1',
    port: 0,
    bodyBytesMax: 4_096,
    rawBodies: ['application/x-ndjson'],
  });
});

afterAll(async () => {
  await server.close();
  await context.supervisor.stop();
});

async function problemOf(response: Response) {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = problemSchema.parse(await response.json());
  expect(problem.status).toBe(response.status);
  return problem;
}

const json = { 'content-type': 'application/json' };
const post = (body: BodyInit, headers: Record<string, string> = json, path = '/notes') =>
  fetch(server.url + path, { method: 'POST', body, headers });

/** Sends bytes that no HTTP client would send, and answers all that comes back. */
function sendRaw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(new URL(server.url).port), '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.setTimeout(5_000, () => socket.destroy(new Error(`no end: ${answer}`)));
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

describe('a body that cannot be read', () => {
  test.each([
    ['broken JSON', '{"text":', 'malformed'],
    ['no JSON at all', 'hello', 'malformed'],
    ['a key that reaches the prototype', '{"text":"a","__proto__":{"x":1}}', 'malformed'],
    ['too deep', '['.repeat(65) + ']'.repeat(65), 'malformed'],
    ['another shape', '{"text":7}', 'invalid'],
    ['an unknown key', '{"text":"a","more":1}', 'invalid'],
    ['null', 'null', 'invalid'],
    ['nothing', '', 'invalid'],
  ])('%s is a 400 with a code', async (_name, body, code) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    expect(await problemOf(response)).toMatchObject({ code });
  });

  test('brackets inside strings do not count as depth', async () => {
    const text = `${'['.repeat(200)}\\"${'{'.repeat(200)}`;
    const response = await post(`{"text":"${text.replaceAll('\\"', '\\\\\\"')}"}`);
    expect(response.status).toBe(201);
  });

  test('invalid UTF-8 is a 400', async () => {
    const response = await post(
      Buffer.concat([Buffer.from('{"text":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
    );
    expect(await problemOf(response)).toMatchObject({ code: 'malformed', status: 400 });
  });

  test('a field error names the field', async () => {
    const problem = await problemOf(await post('{"text":""}'));
    expect(problem.errors).toEqual([{ path: 'text', message: expect.any(String) }]);
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'nonsense',
    'a/b/c',
  ])('content type %s is a 415', async (type) => {
    expect(await problemOf(await post('text=a', { 'content-type': type }))).toMatchObject({ status: 415 });
  });

  test('one that is too large is a 413, announced or chunked', async () => {
    const large = JSON.stringify({ text: 'x'.repeat(5_000) });
    expect(await problemOf(await post(large))).toMatchObject({ code: 'too_large', status: 413 });
    const head =
      'POST /notes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n';
    expect(await sendRaw(`${head}2000\r\n${'x'.repeat(0x2000)}\r\n`)).toMatch(/^HTTP\/1\.1 413 [^]*"too_large"/);
  });

  test('a JSON suffix type is JSON, and a raw type arrives as bytes', async () => {
    expect((await post('{"text":"a"}', { 'content-type': 'application/cloudevents+json; charset=utf-8' })).status).toBe(
      201,
    );
    const raw = await post('{"a":1}\n{"a":2}\n', { 'content-type': 'application/x-ndjson' }, '/raw');
    expect(await raw.json()).toEqual({ bytes: 16 });
  });
});

describe('a path that leads nowhere', () => {
  test('an unknown route is a 404, whatever is sent to it', async () => {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      const response = await fetch(`${server.url}/nothing?x=1`, { method });
      expect(await problemOf(response)).toMatchObject({ code: 'not_found', status: 404 });
    }
    expect(await problemOf(await post('{', json, '/nothing'))).toMatchObject({ code: 'not_found' });
  });

  test('a wrong method is a 405 that names the right ones', async () => {
    for (const method of ['DELETE', 'PUT', 'PATCH', 'PROPFIND', 'PURGE']) {
      const response = await fetch(`${server.url}/notes`, { method });
      expect(response.headers.get('allow')).toBe('OPTIONS, POST');
      expect(await problemOf(response)).toMatchObject({ code: 'method_not_allowed', status: 405 });
    }
  });

  test('OPTIONS tells the methods and HEAD answers like GET without a body', async () => {
    const options = await fetch(`${server.url}/notes/a`, { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS']);
    const head = await fetch(`${server.url}/notes/a`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await fetch(`${server.url}/nothing`, { method: 'HEAD' })).status).toBe(404);
  });

  test.each(['/notes/%', '/notes/%zz', '/notes/%ff', '/%c0%ae', '/notes/a?q=%', '/notes/a?q=%ff'])(
    'bad percent-encoding in %s is a 400',
    async (path) => {
      const answer = await sendRaw(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 400 [^]*application\/problem\+json[^]*"malformed"/);
    },
  );

  test('a parameter that is too long is a 414', async () => {
    expect(await problemOf(await fetch(`${server.url}/notes/${'x'.repeat(3_000)}`))).toMatchObject({ status: 414 });
  });
});

describe('what is hardly HTTP', () => {
  test.each([
    ['no HTTP', 'hello\r\n\r\n', 400, 'malformed'],
    ['an unknown method', 'BREW /notes HTTP/1.1\r\nhost: x\r\n\r\n', 400, 'malformed'],
    [
      'two lengths',
      'POST /notes HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n',
      400,
      'malformed',
    ],
    ['large headers', `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
    ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n', 405, 'method_not_allowed'],
    [
      'a strange Expect',
      'GET /notes/a HTTP/1.1\r\nhost: x\r\nexpect: tea\r\nconnection: close\r\n\r\n',
      417,
      'expectation_failed',
    ],
    ['a target that is no path', 'GET *notes HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 404, 'not_found'],
    ['OPTIONS for the whole server', 'OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 404, 'not_found'],
  ])('%s is refused with a code', async (_name, text, status, code) => {
    const answer = await sendRaw(text);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*application/problem\\+json[^]*"code":"${code}"`, 'i'));
  });

  test.each([
    ['headers', 'GET /notes/a HTTP/1.1\r\nhost: x\r\n'],
    ['body', 'POST /notes HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\ncontent-type: application/json\r\n\r\n{'],
  ])('a sender who never ends the %s is cut with 408', async (_what, text) => {
    const node = server.app.getHttpServer() as unknown as { headersTimeout: number; requestTimeout: number };
    const { headersTimeout, requestTimeout } = node;
    Object.assign(node, { headersTimeout: 400, requestTimeout: 500 });
    try {
      expect(await sendRaw(text)).toMatch(/^HTTP\/1\.1 408 [^]*"request_timeout"/);
    } finally {
      Object.assign(node, { headersTimeout, requestTimeout });
    }
  });
});

describe('a fault of ours', () => {
  test('is internal and says nothing of what it was', async () => {
    const response = await fetch(`${server.url}/boom`);
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ code: 'internal' });
    expect(text).not.toContain('recipe');
  });

  test('in the middle of a stream cuts it, so that half is not taken for whole', async () => {
    const readAll = async () => (await fetch(`${server.url}/half`)).text();
    await expect(readAll()).rejects.toThrow();
  });

  test('a handler that took over the response and then refuses still answers a problem', async () => {
    expect(await problemOf(await fetch(`${server.url}/hijacked`))).toMatchObject({
      code: 'board_unknown',
      status: 404,
    });
  });

  test('a retryable refusal tells when, in whole seconds', async () => {
    const response = await fetch(`${server.url}/busy`);
    expect(response.headers.get('retry-after')).toBe('2');
    expect(await problemOf(response)).toMatchObject({ code: 'overloaded', retryAfterMs: 1_500 });
  });
});

describe('internal routes', () => {
  test.each(['/internal/v1/who', '/%69nternal/v1/who', '/internal/v1/status', '/internal/v1/who?x=1'])(
    '%s is closed without a service token',
    async (path) => {
      expect(await problemOf(await fetch(server.url + path))).toMatchObject({ code: 'token_missing', status: 401 });
    },
  );

  test('a token for another service is refused', async () => {
    const authorization = `Bearer ${await context.tokens.issue('audit')}`;
    const response = await fetch(`${server.url}/internal/v1/who`, { headers: { authorization } });
    expect(await problemOf(response)).toMatchObject({ code: 'token_invalid', status: 401 });
  });

  test('the status tells loops, boards and queues', async () => {
    const authorization = `Bearer ${await context.tokens.issue('chat')}`;
    const response = await fetch(`${server.url}/internal/v1/status`, { headers: { authorization } });
    expect(await response.json()).toMatchObject({ service: 'chat', status: 'starting', loops: [], boards: [] });
  });
});
