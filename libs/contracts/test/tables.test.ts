import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  busHeaders,
  boardSubject,
  clientFrameSchema,
  closeAdvice,
  closeCodes,
  controlData,
  controlEvent,
  controlEventSchema,
  decodeIdentity,
  encodeIdentity,
  errorCodes,
  errorTable,
  ephemeralFrame,
  eventFrame,
  fold,
  forwardedPath,
  isErrorCode,
  mayPublish,
  parseBoardSubject,
  problem,
  problemSchema,
  routeCollisions,
  routeOwner,
  routeTable,
  serverFrameSchema,
  type ControlName,
  type ForwardedIdentity,
} from '../src/index.ts';
import { seed } from './seed.ts';
import { vectors, type Invalid } from './vectors.ts';

const frames = vectors<{
  client: { valid: unknown[]; invalid: (Invalid & { frame: unknown })[] };
  server: { valid: unknown[]; invalid: (Invalid & { frame: unknown })[] };
  control: { name: ControlName; data: never; cursor?: string; event: unknown }[];
  event: { sub: string; cursor: string; stored: unknown }[];
}>('frames');
const problems = vectors<{ valid: unknown[]; invalid: (Invalid & { problem: unknown })[] }>('problems');
const names = vectors<{ folded: { left: string; right: string; same: boolean }[] }>('names');

describe('the error table', () => {
  test.each(errorCodes)('%s has a status, a title, and a problem that fits its schema', (code) => {
    const { status, title, retry } = errorTable[code];
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    expect(title).not.toBe('');
    // What can be repeated is said by the status as well: clients that know no codes go by it.
    expect([408, 429, 500, 503, 504].includes(status)).toBe(retry);
    const document = problem(code, { detail: 'x', retryAfterMs: -0.4, errors: [{ path: 'a', message: 'b' }] });
    expect(problemSchema.parse(document)).toEqual(document);
    expect(document).toMatchObject({ status, title, code, retryAfterMs: 0 });
    expect(problemSchema.parse(problem(code))).toEqual(problem(code));
  });
  test('knows its codes and no others', () => {
    for (const code of errorCodes) expect(isErrorCode(code)).toBe(true);
    for (const other of ['toString', '__proto__', '', 'Invalid', 5, null]) expect(isErrorCode(other)).toBe(false);
  });
  test.each(problems.valid)('a problem %j is one', (one) => expect(problemSchema.parse(one)).toEqual(one));
  test.each(problems.invalid)('a problem with $why is none', (one) => {
    expect(problemSchema.safeParse(one.problem).success).toBe(false);
  });
});

describe('close codes', () => {
  const all = Object.values(closeCodes);
  test('are each one code, of the registered or the private range', () => {
    expect(new Set(all.map(({ code }) => code)).size).toBe(all.length);
    for (const { code } of all) expect((code >= 1_000 && code <= 1_015) || (code >= 4_000 && code <= 4_999)).toBe(true);
  });
  test('advise by the code alone', () => {
    for (const { code, advice } of all) expect(closeAdvice(code)).toBe(advice);
    expect(closeAdvice(1_000)).toBe('stop');
    expect(closeAdvice(4_001)).toBe('new_token');
    for (const madeUp of [1_005, 1_006, 1_011, 4_999]) expect(closeAdvice(madeUp)).toBe('return');
  });
});

describe('routes', () => {
  test('collide nowhere', () => expect(routeCollisions()).toEqual([]));
  test('that collide are found', () => {
    const [auth] = routeTable;
    const base = { owner: 'gateway', errors: 'problem', access: 'public' } as const;
    expect(routeCollisions([auth!, { ...base, prefix: '/v1/auth' }])).toEqual(['/v1/auth']);
    expect(routeCollisions([auth!, auth!])).toEqual(['/v1/auth/']);
    expect(routeCollisions([{ ...base, prefix: '/a/', forwardTo: '/internal/v1/a' }])).toEqual(['/internal/v1/a']);
  });
  test.each([
    ['/v1/auth/login', 'chat', '/internal/v1/auth/login'],
    ['/.well-known/jwks.json', 'chat', '/internal/v1/jwks.json'],
    ['/.well-known/boardwire', 'federation', '/internal/v1/site-document'],
    ['/v1/audit/days/2026-03-01', 'audit', '/internal/v1/audit/days/2026-03-01'],
    ['/v1/federation', 'federation', '/internal/v1/federation'],
    ['/v1/federation/peers', 'federation', '/internal/v1/federation/peers'],
    ['/v1/federations', 'gateway', undefined],
    ['/api/chat/post/', 'applets', '/internal/v1/applets/axonchat/post'],
    ['/api/chat/events/', 'gateway', undefined],
    ['/api/chat/post', 'gateway', undefined],
    ['/api/chat/post/x', 'gateway', undefined],
    ['/api/token/', 'gateway', undefined],
    ['/v1/boards', 'gateway', undefined],
    ['/v1/boards/events/stream', 'gateway', undefined],
    ['/v1/boardsful', 'gateway', undefined],
    ['/v1/me/ignores/ana', 'chat', '/internal/v1/me/ignores/ana'],
    ['/v1/nothing', 'gateway', undefined],
    ['/', 'console', undefined],
    ['/assets/app.js', 'console', undefined],
    ['/internal/v1/status', 'console', undefined],
  ])('%s belongs to %s and goes to %s', (path, owner, forwarded) => {
    const route = routeOwner(path)!;
    expect(route.owner).toBe(owner);
    expect(forwardedPath(route, path)).toBe(forwarded);
  });
  test.each([
    '/v1/auth/../../metrics',
    '/v1/auth/..',
    '/v1/auth/%2e%2e/x',
    '/v1/auth/.%2E/x',
    '/v1/auth/a%2fb',
    '/v1/auth/a%5Cb',
    '/v1/auth/a\\b',
    '/v1/auth//internal',
    '/v1/auth/./x',
  ])('%s is passed on to nobody', (path) => expect(forwardedPath(routeOwner(path)!, path)).toBeUndefined());
  test('dots inside a name are none of that', () => {
    expect(forwardedPath(routeOwner('/v1/audit/a..b/...')!, '/v1/audit/a..b/...')).toBe('/internal/v1/audit/a..b/...');
  });
});

describe('frames', () => {
  test.each(frames.client.valid)('takes %j', (frame) =>
    expect(clientFrameSchema.parse(frame)).toMatchObject(frame as object),
  );
  test.each(frames.client.invalid)('refuses $why', ({ frame }) => {
    expect(clientFrameSchema.safeParse(frame).success).toBe(false);
  });
  test.each(frames.server.valid)('of the server: %j', (frame) => expect(serverFrameSchema.parse(frame)).toEqual(frame));
  test.each(frames.server.invalid)('the server sends none with $why', ({ frame }) => {
    expect(serverFrameSchema.safeParse(frame).success).toBe(false);
  });
  test.each(frames.control)('an event of the server’s own: $event.type', ({ name, data, cursor, event }) => {
    const at = { board: 'events', id: 'x1', time: '2026-03-01T00:00:00.000Z' };
    const text = controlEvent(name, { ...at, data, ...(cursor === undefined ? {} : { cursor }) });
    expect(JSON.parse(text)).toEqual(event);
    expect(controlEventSchema(name).parse(event)).toEqual(event);
  });
  test('have a vector for each event of the server’s own', () => {
    expect([...new Set(frames.control.map(({ name }) => name))].toSorted()).toEqual(
      Object.keys(controlData).toSorted(),
    );
  });
  test.each(frames.event)('an event frame holds the stored bytes', ({ sub, cursor, stored }) => {
    const bytes = JSON.stringify(stored);
    const frame = eventFrame(JSON.stringify(sub), cursor, bytes);
    expect(JSON.parse(frame)).toEqual({ type: 'event', sub, cursor, event: stored });
    expect(frame).toContain(bytes);
    expect(JSON.parse(ephemeralFrame(JSON.stringify(sub), bytes))).toEqual({ type: 'event', sub, event: stored });
  });
});

describe('an identity', () => {
  const identity: ForwardedIdentity = {
    userId: 'u1',
    name: 'Ана 李 👩‍🚀',
    roles: ['guest'],
    sessionId: 's1',
    boards: [{ board: 'events', publish: ['AxonChat', 'AxonChat.>'], subscribe: ['>'] }],
  };
  test('comes through a header whole', () => {
    const header = encodeIdentity(identity);
    expect(header).toMatch(/^[\w-]+$/);
    expect(decodeIdentity(header)).toEqual(identity);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        expect(decodeIdentity(encodeIdentity({ ...identity, name }))?.name).toBe(name);
      }),
      { seed },
    );
  });
  test.each([undefined, '', '{}', 'e30', '%%%', 'AAAA', Buffer.from('null').toString('base64url')])(
    'is not read from %j',
    (header) => expect(decodeIdentity(header)).toBeUndefined(),
  );
  test('may publish what its grants say', () => {
    expect(mayPublish(identity.boards, 'events', 'AxonChat.lobby')).toBe(true);
    expect(mayPublish(identity.boards, 'events', 'AxonChat')).toBe(true);
    expect(mayPublish(identity.boards, 'events', 'GameScore')).toBe(false);
    expect(mayPublish(identity.boards, 'forum', 'AxonChat')).toBe(false);
    expect(mayPublish([{ board: '*', publish: ['>'], subscribe: [] }], 'forum', 'x')).toBe(true);
    expect(mayPublish([], 'events', 'AxonChat')).toBe(false);
  });
});

describe('names on the bus', () => {
  test.each([
    [boardSubject('events', 'AxonChat.lobby'), { board: 'events', subject: 'AxonChat.lobby' }],
    ['board.a.b', { board: 'a', subject: 'b' }],
    ['board.a', undefined],
    ['board.a.', undefined],
    ['board..b', undefined],
    ['eph.a.b', undefined],
    ['board', undefined],
  ])('%s', (busSubject, parts) => expect(parseBoardSubject(busSubject)).toEqual(parts));
  test('headers are spelled once', () => {
    expect(new Set(Object.values(busHeaders)).size).toBe(Object.keys(busHeaders).length);
  });
});

describe('a folded name', () => {
  test.each(names.folded)('$left and $right: same $same', ({ left, right, same }) => {
    expect(fold(left) === fold(right)).toBe(same);
  });
  test('folds to itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(fold(fold(text))).toBe(fold(text));
      }),
      { seed, numRuns: 3_000 },
    );
  });
});
