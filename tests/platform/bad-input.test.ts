import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { problemSchema } from '@boardwire/contracts';
import { connect } from 'node:net';
import { call, say, signInAsGuest, type Answer, type Person } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

let site: TestSite;
let ana: Person;
let headBefore: number;

const head = async () => (await call<{ head: number }>(`${site.url}/v1/boards/events`, { token: ana.token })).body.head;

beforeAll(async () => {
  site = await startTestSite();
  ana = await signInAsGuest(site.url, 'ana');
  await say(site.url, ana, 'the only event');
  headBefore = await head();
}, 60_000);
afterAll(async () => {
  await site?.stop();
}, 30_000);

function expectProblem(answer: Answer, status: number, code?: string): void {
  expect({ status: answer.status, text: answer.text }).toMatchObject({ status });
  expect(answer.type).toContain('application/problem+json');
  const parsed = problemSchema.parse(answer.body);
  expect(parsed.status).toBe(status);
  if (code !== undefined) expect(parsed.code).toBe(code);
}

const good = { subject: 'AxonChat.lobby', type: 'chat.message.posted', data: { text: 'x' } };
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

describe('publishing', () => {
  const publish = (init: Parameters<typeof call>[1]) =>
    call(`${site.url}/v1/boards/events/events`, { method: 'POST', token: ana.token, ...init });
  const refused: [string, unknown][] = [
    ['no subject', { type: 'a', data: 1 }],
    ['an empty subject', { ...good, subject: '' }],
    ['a wildcard subject', { ...good, subject: 'AxonChat.*' }],
    ['a full wildcard', { ...good, subject: '>' }],
    ['a subject of the bus', { ...good, subject: '$JS.API' }],
    ['an empty token', { ...good, subject: 'AxonChat..lobby' }],
    ['a subject with CR LF', { ...good, subject: 'AxonChat.a\r\nid: 9' }],
    ['seventeen tokens', { ...good, subject: Array(17).fill('a').join('.') }],
    ['a subject of 256 bytes', { ...good, subject: 'a'.repeat(256) }],
    ['a number as subject', { ...good, subject: 7 }],
    ['a type with a line break', { ...good, type: 'a\nevent: revoked' }],
    ['a type of 129 characters', { ...good, type: 'a'.repeat(129) }],
    ['an unknown field', { ...good, seq: 1 }],
    ['a prototype key', JSON.parse('{"subject":"AxonChat.lobby","type":"a","__proto__":{"admin":true}}')],
    ['an id with NUL', { ...good, id: 'a\u0000b' }],
    ['an id of 129 bytes', { ...good, id: 'ü'.repeat(65) }],
    ['an id that is a number', { ...good, id: 3 }],
    ['a time that is none', { ...good, time: 'yesterday' }],
    ['a list', [good]],
    ['null', null],
    ['a string', 'hello'],
  ];
  test.each(refused)('refuses %s', async (_what, json) => {
    expectProblem(await publish({ json }), 400);
  });

  test.each([
    ['broken JSON', '{"subject":'],
    ['an empty body', ''],
    ['invalid UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
    ['10,000 brackets', nested(10_000)],
  ])('refuses %s', async (_what, body) => {
    expectProblem(await publish({ body, headers: { 'content-type': 'application/json' } }), 400);
  });

  test('refuses deep data without failing', async () => {
    const answer = await publish({
      body: `{"subject":"AxonChat.lobby","type":"a","data":${nested(20_000)}}`,
      headers: { 'content-type': 'application/json' },
    });
    expectProblem(answer, 400);
  });
  test('refuses an event above 64 KiB', async () => {
    expectProblem(await publish({ json: { ...good, data: { text: 'a'.repeat(65 * 1024) } } }), 413, 'too_large');
  });
  test('refuses a body above every limit', async () => {
    expectProblem(await publish({ json: { ...good, data: { text: 'a'.repeat(3 * 1024 * 1024) } } }), 413, 'too_large');
  });
  test('refuses other media types', async () => {
    expectProblem(
      await publish({ body: 'subject=a', headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
      415,
    );
    expectProblem(await publish({ body: '<a/>', headers: { 'content-type': 'text/xml' } }), 415);
  });
  test('refuses a batch of 257, an empty one, and one that is no list', async () => {
    const headers = { 'content-type': 'application/cloudevents-batch+json' };
    const event = { specversion: '1.0', id: 'a', source: `/users/${ana.id}`, type: 'a', subject: 'AxonChat.lobby' };
    expectProblem(
      await publish({
        body: JSON.stringify(Array.from({ length: 257 }, (_, at) => ({ ...event, id: `b${at}` }))),
        headers,
      }),
      413,
      'too_large',
    );
    expectProblem(await publish({ body: '[]', headers }), 400);
    expectProblem(await publish({ body: '{}', headers }), 400);
  });
  test('refuses CloudEvents of another version, another source, or without an id', async () => {
    const headers = { 'content-type': 'application/cloudevents+json' };
    const event = { specversion: '1.0', id: 'a', source: `/users/${ana.id}`, type: 'a', subject: 'AxonChat.lobby' };
    expectProblem(await publish({ body: JSON.stringify({ ...event, specversion: '0.3' }), headers }), 400);
    expectProblem(
      await publish({ body: JSON.stringify({ ...event, source: '/users/somebody-else' }), headers }),
      400,
      'invalid_source',
    );
    expectProblem(await publish({ body: JSON.stringify({ ...event, id: undefined }), headers }), 400);
  });
  test('refuses a subject that the token does not cover, and an unknown board', async () => {
    expectProblem(await publish({ json: { ...good, subject: 'federation.peer.x' } }), 403, 'forbidden');
    expectProblem(
      await call(`${site.url}/v1/boards/nowhere/events`, { token: ana.token, json: good }),
      404,
      'board_unknown',
    );
    expectProblem(
      await call(`${site.url}/v1/boards/${encodeURIComponent('../chat')}/events`, { token: ana.token, json: good }),
      404,
    );
  });
});

describe('tokens', () => {
  const none = Buffer.from('{"alg":"none"}').toString('base64url');
  test.each([
    ['no token', undefined, 'token_missing'],
    ['an empty one', '', undefined],
    ['noise', 'abc', 'token_invalid'],
    ['alg none', `${none}.${Buffer.from('{"sub":"x"}').toString('base64url')}.`, 'token_invalid'],
  ])('%s is 401 on every route that needs one', async (_what, token, code) => {
    for (const path of [
      '/v1/boards',
      '/v1/boards/events',
      '/v1/boards/events/events',
      '/v1/boards/events/stream',
      '/v1/boards/events/presence',
      '/v1/auth/me',
      '/v1/audit/latest',
    ]) {
      const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
      expectProblem(await call(`${site.url}${path}`, { headers }), 401, code);
    }
  });
  test('a truncated or altered one is 401', async () => {
    expectProblem(await call(`${site.url}/v1/boards`, { token: ana.token.slice(0, -5) }), 401, 'token_invalid');
    const [header, claims, signature] = ana.token.split('.');
    const altered = JSON.parse(Buffer.from(claims!, 'base64url').toString()) as Record<string, unknown>;
    altered['roles'] = ['admin'];
    expectProblem(
      await call(`${site.url}/v1/boards`, {
        token: `${header}.${Buffer.from(JSON.stringify(altered)).toString('base64url')}.${signature}`,
      }),
      401,
      'token_invalid',
    );
  });
  test('a guest may not create or change boards nor read the audit log', async () => {
    expectProblem(
      await call(`${site.url}/v1/boards`, { token: ana.token, json: { slug: 'mine', title: 'Mine' } }),
      403,
    );
    expectProblem(
      await call(`${site.url}/v1/boards/events`, { method: 'PATCH', token: ana.token, json: { title: 'x' } }),
      403,
    );
    expectProblem(await call(`${site.url}/v1/audit/latest`, { token: ana.token }), 403);
  });
});

describe('reading', () => {
  test.each([
    ['limit=0'],
    ['limit=501'],
    ['limit=-1'],
    ['limit=a'],
    ['limit=1e9'],
    ['after=zzz'],
    ['after=aaaaaaaa-1&before=aaaaaaaa-2'],
    ['subject=a..b'],
    ['subject=%3E.a'],
    ['subject=%00'],
    ['nonsense=1'],
    ['type=%0a'],
    [`subject=${'a'.repeat(300)}`],
    [Array.from({ length: 33 }, (_, at) => `subject=s${at}`).join('&')],
  ])('history refuses ?%s', async (query) => {
    expectProblem(await call(`${site.url}/v1/boards/events/events?${query}`, { token: ana.token }), 400);
  });
  test.each([
    ['last=501'],
    ['last=-1'],
    ['last=a'],
    ['subject=a..b'],
    ['after=zzz'],
    ['overflow=maybe'],
    ['named=2'],
    ['nonsense=1'],
    [Array.from({ length: 33 }, (_, at) => `subject=s${at}`).join('&')],
  ])('stream refuses ?%s', async (query) => {
    expectProblem(await call(`${site.url}/v1/boards/events/stream?${query}`, { token: ana.token }), 400);
  });
  test('a stream of what may not be seen is 403, of an unknown board 404', async () => {
    expectProblem(
      await call(`${site.url}/v1/boards/events/stream?subject=room.t_001.chat.private.x`, { token: ana.token }),
      403,
    );
    expectProblem(await call(`${site.url}/v1/boards/nowhere/stream`, { token: ana.token }), 404, 'board_unknown');
  });
});

test('no wildcard covers what two people say to each other, not even an administrator’s', async () => {
  const { token } = await site.admin();
  for (const subject of ['dm.ana.ben', 'room.t_001.chat.private.x']) {
    const json = { subject, type: 'chat.message.posted', data: {} };
    expectProblem(await call(`${site.url}/v1/boards/events/events`, { token, json }), 403, 'forbidden');
    expectProblem(await call(`${site.url}/v1/boards/events/stream?subject=${subject}`, { token }), 403, 'forbidden');
  }
});

describe('accounts', () => {
  test.each([
    ['guest', {}],
    ['guest', { nickname: '' }],
    ['guest', { nickname: 'a' }],
    ['guest', { nickname: 'a'.repeat(33) }],
    ['guest', { nickname: 'a\u0000b' }],
    ['guest', { nickname: ' ana' }],
    ['guest', { nickname: 'a\u202eb' }],
    ['guest', { nickname: 5 }],
    ['guest', { nickname: 'bob', role: 'admin' }],
    ['register', { name: 'bob' }],
    ['register', { name: 'bob', password: 'short' }],
    ['register', { name: 'bob', password: 'a'.repeat(257) }],
    ['login', { name: 'bob' }],
    ['login', { name: ['bob'], password: 'x' }],
    ['refresh', {}],
    ['refresh', { refreshToken: 7 }],
  ])('%s refuses %j', async (path, json) => {
    expectProblem(await call(`${site.url}/v1/auth/${path}`, { json }), 400);
  });
  test('a wrong password and an unknown name get the same answer', async () => {
    const unknown = await call(`${site.url}/v1/auth/login`, { json: { name: 'nobody-here', password: 'whatever-1' } });
    const wrong = await call(`${site.url}/v1/auth/login`, { json: { name: 'admin', password: 'whatever-1' } });
    expectProblem(unknown, 401, 'credentials_refused');
    expectProblem(wrong, 401, 'credentials_refused');
    expect(unknown.text).toBe(wrong.text);
  });
  test('an unknown refresh token is 401', async () => {
    expectProblem(await call(`${site.url}/v1/auth/refresh`, { json: { refreshToken: 'x'.repeat(43) } }), 401);
  });
  test('a nickname is taken whatever its case', async () => {
    await signInAsGuest(site.url, 'Straße');
    expectProblem(await call(`${site.url}/v1/auth/guest`, { json: { nickname: 'STRAßE' } }), 409, 'name_taken');
  });
});

describe('boards', () => {
  test.each([
    [{}],
    [{ slug: 'Upper', title: 'x' }],
    [{ slug: 'a.b', title: 'x' }],
    [{ slug: '', title: 'x' }],
    [{ slug: 'ok', title: '' }],
    [{ slug: 'ok', title: 'x', time_zone: 'Mars/Base' }],
    [{ slug: 'ok', title: 'x', rules: [{ pattern: '>.a' }] }],
    [{ slug: 'ok', title: 'x', head: 9 }],
  ])('create refuses %j', async (json) => {
    const admin = await site.admin();
    expectProblem(await call(`${site.url}/v1/boards`, { token: admin.token, json }), 400);
  });
  test('a slug can be used once', async () => {
    const admin = await site.admin();
    expectProblem(
      await call(`${site.url}/v1/boards`, { token: admin.token, json: { slug: 'events', title: 'Again' } }),
      409,
      'board_exists',
    );
  });
});

describe('audit', () => {
  test.each([
    ['days/2026-02-30'],
    ['days/today'],
    ['days/2026-1-1'],
    ['latest?limit=0'],
    ['latest?limit=a'],
    ['latest?limit=100000'],
    ['entries/-1'],
    ['entries/x'],
    ['entries/99999999999999999999'],
  ])('%s is refused as a 4xx problem', async (path) => {
    const admin = await site.admin();
    const answer = await call(`${site.url}/v1/audit/${path}`, { token: admin.token });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expectProblem(answer, answer.status);
    expect(answer.status).toBeLessThan(500);
  });
});

describe('addresses and sockets', () => {
  test.each([
    ['/v1/nothing'],
    ['/v1/boards/events/nothing'],
    ['/internal/v1/sync'],
    ['/internal/v1/status'],
    ['/metrics'],
    ['/v1/%zz'],
    ['/v1/../internal/v1/sync'],
    ['/v1//internal/v1/sync'],
    ['/v1/auth/../../internal/v1/sync'],
    ['/v1/audit/%2e%2e/%2e%2e/status'],
  ])('%s is a 4xx problem', async (path) => {
    const answer = await raw(
      `GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${ana.token}\r\nconnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(answer).toContain('application/problem+json');
  });
  test('a wrong method is a 4xx problem', async () => {
    for (const [method, path] of [
      ['DELETE', '/v1/boards/events/events'],
      ['PUT', '/v1/boards'],
      ['POST', '/v1/boards/events/stream'],
      ['GET', '/v1/auth/guest'],
    ] as const) {
      const answer = await call(`${site.url}${path}`, { method, token: ana.token });
      expect([404, 405]).toContain(answer.status);
      expectProblem(answer, answer.status);
    }
  });
  test.each([
    ['what is no HTTP', 'hello\r\n\r\n'],
    ['a header with NUL', 'GET / HTTP/1.1\r\nhost: x\r\nx: a\u0000b\r\n\r\n'],
    ['100 KB of headers', `GET /v1/boards HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(100_000)}\r\n\r\n`],
    [
      'two content lengths',
      'POST /v1/boards/events/events HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab',
    ],
  ])('%s gets a 4xx', async (_what, text) => {
    expect(await raw(text)).toMatch(/^HTTP\/1\.1 4\d\d /);
  });

  function raw(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(site.url);
      const socket = connect(Number(port), hostname, () => socket.write(text));
      let received = '';
      socket.setEncoding('utf8').setTimeout(8_000, () => socket.destroy());
      socket.on('data', (chunk: string) => {
        received += chunk;
      });
      socket.on('close', () => resolve(received));
      socket.on('error', (error: NodeJS.ErrnoException) =>
        error.code === 'ECONNRESET' || error.code === 'EPIPE' ? resolve(received) : reject(error),
      );
    });
  }
});

describe('AxonChat', () => {
  test('refuses with its own body', async () => {
    const blank = await call(`${site.url}/api/chat/post/`, { token: ana.token, json: { text: '  ' } });
    expect(blank).toMatchObject({ status: 400, body: { error: 'Message text cannot be empty.' } });
    for (const json of [{}, { text: 5 }, [], null]) {
      const answer = await call<{ error: string }>(`${site.url}/api/chat/post/`, { token: ana.token, json });
      expect(answer.status).toBe(400);
      expect(typeof answer.body.error).toBe('string');
    }
    for (const path of ['/api/chat/events/', '/api/chat/events/?token=abc']) {
      const answer = await call<{ error: string }>(`${site.url}${path}`);
      expect(answer.status).toBe(401);
      expect(typeof answer.body.error).toBe('string');
    }
    expect((await call(`${site.url}/api/chat/post/`, { json: { text: 'x' } })).status).toBe(401);
  });
});

test('after all that nothing was stored and the site is well', async () => {
  expect(await head()).toBe(headBefore);
  const answer = await say(site.url, ana, 'still here');
  expect(answer.status).toBe(201);
});
