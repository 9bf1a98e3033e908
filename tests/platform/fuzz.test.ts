import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WsReader } from '@boardwire/test-kit';
import fc from 'fast-check';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { call, signInAsGuest, type Person } from '../support/person.ts';
import { clientFrame, sendRaw, upgradeRequest, type RawAnswer } from '../support/raw-client.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

const isLong = process.env['BOARDWIRE_TEST_TIER'] === 'long';
const numRuns = isLong ? 3_000 : 120;
/** fast-check prints seed and path of what fails. */
const seed = Number(process.env['BOARDWIRE_TEST_SEED']) || Date.now() % 1_000_000_007;

let site: TestSite;
let tokens: { admin: string; guest: string };
let guest: Person;
let before: { pids: Record<string, number | undefined>; resident: number };

beforeAll(async () => {
  // Processes of their own: one that crashes has another pid afterwards.
  site = await startTestSite({ mode: 'processes' });
  guest = await signInAsGuest(site.url, 'fuzz');
  tokens = { admin: (await site.admin()).token, guest: guest.token };
  before = { pids: pids(), resident: await residentBytes() };
  process.stderr.write(`seed ${seed} (repeat with BOARDWIRE_TEST_SEED=${seed})\n`);
}, 90_000);
afterAll(async () => {
  await site?.stop();
}, 30_000);

const pids = () => Object.fromEntries(Object.entries(site.site.services).map(([name, { pid }]) => [name, pid]));

async function residentBytes(): Promise<number> {
  const { text } = await call(`${site.internalUrl('gateway')}/metrics`);
  return Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]);
}

const check = <T>(property: fc.IAsyncProperty<T> | fc.IAsyncPropertyWithHooks<T>) =>
  fc.assert(property, { numRuns, seed, endOnFailure: true });

/** No fault of ours, whatever was asked: a status of the table, never one of the 500s. */
function expectNoFault({ statuses, text }: RawAnswer): void {
  const faults = statuses.filter((status) => status >= 500);
  expect({ faults, text: faults.length === 0 ? '' : text.slice(0, 600) }).toEqual({ faults: [], text: '' });
}

const odd = fc.constantFrom(
  '',
  '/',
  '//',
  '..',
  '%',
  '%zz',
  '%00',
  '%2e%2e%2f',
  '\\',
  '>',
  '*',
  '$JS',
  '__proto__',
  'ü',
  '😀',
);
const word = fc.oneof(odd, fc.string({ maxLength: 40 }), fc.string({ unit: 'binary', maxLength: 20 }));
const segment = word.map((text) => (text.includes('%') ? text : encodeURIComponent(text.toWellFormed())));
const roots = [
  '/v1/boards',
  '/v1/boards/events',
  '/v1/boards/events/events',
  '/v1/boards/events/stream',
  '/v1/boards/events/state',
  '/v1/boards/events/presence',
  '/v1/ws',
  '/v1/stream-tickets',
  '/v1/openapi.json',
  '/v1/auth/guest',
  '/v1/auth/login',
  '/v1/auth/refresh',
  '/v1/auth/me',
  '/v1/me/ignores',
  '/v1/audit/latest',
  '/v1/audit/entries/0',
  '/v1/audit/days',
  '/.well-known/boardwire',
  '/api/chat/events/',
  '/api/chat/post/',
  '/',
];
const path = fc
  .tuple(fc.constantFrom(...roots), fc.array(segment, { maxLength: 2 }))
  .map(([root, more]) => [root, ...more].join('/'));
const names = [
  'subject',
  'type',
  'after',
  'before',
  'last',
  'limit',
  'named',
  'overflow',
  'snapshot',
  'ticket',
  'tz',
  'token',
  'from',
  'to',
];
const query = fc
  .array(fc.tuple(fc.oneof(fc.constantFrom(...names), segment), fc.oneof(segment, fc.integer().map(String))), {
    maxLength: 4,
  })
  .map((pairs) => (pairs.length === 0 ? '' : `?${pairs.map(([name, value]) => `${name}=${value}`).join('&')}`));
const method = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('GET', 'POST') },
  fc.constantFrom('HEAD', 'OPTIONS', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'CONNECT', 'TRACE'),
);
const headerNames = [
  'last-event-id',
  'accept',
  'content-type',
  'content-encoding',
  'expect',
  'origin',
  'upgrade',
  'connection',
  'transfer-encoding',
  'x-forwarded-for',
  'traceparent',
  'if-none-match',
  'range',
  'cookie',
  'ce-specversion',
  'ce-id',
  'ce-type',
  'ce-subject',
];
/** Bytes that a header may hold, and some that it may not. */
const headerText = fc.oneof(
  fc.constantFrom(
    'websocket',
    'h2c',
    '100-continue',
    'chunked',
    'keep-alive',
    'application/json',
    'a'.repeat(9_000),
    '\0',
    '1.0',
  ),
  fc.string({ maxLength: 60 }),
  fc.uint8Array({ maxLength: 30 }).map((bytes) =>
    Buffer.from(bytes)
      .toString('latin1')
      .replaceAll(/[\r\n]/g, ' '),
  ),
);
const headers = fc
  .array(fc.tuple(fc.constantFrom(...headerNames), headerText), { maxLength: 4 })
  .map((pairs) => pairs.map(([name, value]) => `${name}: ${value}\r\n`).join(''));
const mediaType = fc.constantFrom(
  'application/json',
  'application/cloudevents+json',
  'application/cloudevents-batch+json',
  'text/plain',
  'application/json; charset=utf-7',
);
const likeAnEvent = fc.record(
  {
    specversion: fc.constantFrom('1.0', '0.3', 1),
    id: fc.oneof(word, fc.jsonValue()),
    source: fc.oneof(word, fc.constant('/users/me')),
    subject: fc.oneof(fc.constantFrom('a.b', 'AxonChat.lobby', '>', '*'), word, fc.jsonValue()),
    type: fc.oneof(fc.constantFrom('note', 'chat.message.posted'), word),
    time: fc.oneof(fc.constant('2026-01-01T00:00:00Z'), fc.jsonValue()),
    data: fc.jsonValue({ maxDepth: 6, stringUnit: 'binary' }),
    datacontenttype: word,
  },
  { requiredKeys: [] },
);
const body = fc.oneof(
  { weight: 4, arbitrary: likeAnEvent.map((event) => Buffer.from(JSON.stringify(event))) },
  {
    weight: 2,
    arbitrary: fc.array(likeAnEvent, { maxLength: 5 }).map((events) => Buffer.from(JSON.stringify(events))),
  },
  { weight: 2, arbitrary: fc.json({ stringUnit: 'binary' }).map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(Buffer.from('{"subject":"a","type":"b","data":"\\ud800 \\u0000"}'), Buffer.alloc(0)),
  },
);
const credentials = fc.constantFrom('admin', 'guest', 'none', 'noise');

interface Asked {
  method: string;
  path: string;
  query: string;
  headers: string;
  mediaType: string;
  body: Buffer;
  who: string;
  lengthOff: number;
}

function requestOf({ method, path, query, headers, mediaType, body, who, lengthOff }: Asked): Buffer {
  const authorization =
    who === 'none' ? '' : `authorization: Bearer ${who === 'noise' ? 'a.b.c' : tokens[who as 'admin']}\r\n`;
  const isWithBody = method !== 'GET' && method !== 'HEAD';
  const length = isWithBody
    ? `content-type: ${mediaType}\r\ncontent-length: ${Math.max(0, body.length + lengthOff)}\r\n`
    : '';
  const head = `${method} ${path}${query} HTTP/1.1\r\nhost: x\r\n${authorization}${headers}${length}\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), isWithBody ? body : Buffer.alloc(0)]);
}

const request = fc.record({
  method,
  path,
  query,
  headers,
  mediaType,
  body,
  who: credentials,
  lengthOff: fc.constantFrom(0, 0, 0, 0, -1, 5),
});

describe('HTTP', () => {
  test(
    'answers no request with a fault, alone or pipelined, whole or in pieces',
    async () => {
      const property = fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 3 }), async (requests) => {
        const bytes = Buffer.concat(requests.map(requestOf));
        const at = bytes.length >> 1;
        expectNoFault(await sendRaw(site.url, [bytes.subarray(0, at), bytes.subarray(at)]));
      });
      await check(property);
    },
    isLong ? 1_800_000 : 120_000,
  );

  test(
    'answers bytes that are no HTTP with 400 or an end',
    async () => {
      const noise = fc.oneof(
        fc.uint8Array({ maxLength: 400 }),
        fc
          .tuple(request, fc.integer({ min: 0, max: 400 }), fc.uint8Array({ maxLength: 8 }))
          .map(([asked, at, bytes]) => {
            const whole = requestOf(asked);
            return Buffer.concat([whole.subarray(0, at), Buffer.from(bytes), whole.subarray(at)]);
          }),
      );
      await check(fc.asyncProperty(noise, async (bytes) => expectNoFault(await sendRaw(site.url, [bytes]))));
    },
    isLong ? 1_800_000 : 120_000,
  );
});

const frameText = fc.oneof(
  fc.json({ stringUnit: 'binary' }),
  fc
    .record(
      {
        type: fc.oneof(
          fc.constantFrom('auth', 'subscribe', 'unsubscribe', 'publish', 'presence', 'typing', 'history', 'ping'),
          word,
        ),
        sub: fc.oneof(fc.constantFrom('a', 'b', '__proto__', 'constructor'), fc.jsonValue()),
        board: fc.oneof(fc.constantFrom('events', 'nowhere'), word, fc.jsonValue()),
        subjects: fc.oneof(fc.constant(['>']), fc.array(word, { maxLength: 3 }), fc.jsonValue()),
        subject: fc.oneof(fc.constant('a.b'), fc.jsonValue()),
        types: fc.oneof(fc.constant(['note']), fc.jsonValue()),
        after: fc.oneof(fc.constantFrom('start', 'aaaaaaaa-1'), fc.jsonValue()),
        before: fc.jsonValue(),
        last: fc.oneof(fc.integer(), fc.double(), fc.jsonValue()),
        limit: fc.oneof(fc.integer(), fc.jsonValue()),
        req: fc.oneof(fc.integer(), fc.jsonValue()),
        event: likeAnEvent,
        on: fc.jsonValue(),
        state: fc.oneof(fc.constantFrom('on', 'off'), fc.jsonValue()),
        snapshot: fc.oneof(fc.constant('state'), fc.jsonValue()),
        overflow: fc.constantFrom('conflate', 'disconnect', 'x'),
        token: fc.string(),
      },
      { requiredKeys: ['type'] },
    )
    .map((frame) => JSON.stringify(frame)),
);
const frame = fc.oneof(
  { weight: 6, arbitrary: frameText.map((text) => clientFrame({ opcode: 1, payload: Buffer.from(text) })) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((payload) => clientFrame({ opcode: 1, payload })) },
  {
    weight: 3,
    arbitrary: fc
      .record({
        opcode: fc.integer({ min: 0, max: 15 }),
        payload: fc.uint8Array({ maxLength: 140 }),
        isFinal: fc.boolean(),
        reserved: fc.constantFrom(0, 0, 0, 1, 4),
        isMasked: fc.constantFrom(true, true, false),
        saidLength: fc.constantFrom(0, 10, 126, 5_000, 98_304, 98_305, 2 ** 32, 2 ** 53),
      })
      .map((wrong) => clientFrame(wrong)),
  },
  {
    weight: 1,
    arbitrary: fc.constant(
      Buffer.concat(Array.from({ length: 300 }, () => clientFrame({ opcode: 9, payload: Buffer.alloc(125) }))),
    ),
  },
);
/** All that the table of close codes knows, what the library says of broken frames, and silence. */
const closeCodesKnown = new Set([
  1000, 1001, 1002, 1003, 1005, 1006, 1007, 1009, 1011, 1012, 4000, 4001, 4003, 4008, 4009, 4010,
]);

describe('WebSocket', () => {
  test(
    'takes any frames, and goes on or closes with a code of the table',
    async () => {
      const property = fc.asyncProperty(
        fc.array(frame, { minLength: 1, maxLength: 12 }),
        fc.boolean(),
        async (frames, isSignedIn) => {
          const authorization = isSignedIn ? `authorization: Bearer ${tokens.guest}\r\n` : '';
          const answer = await sendRaw(site.url, [upgradeRequest('/v1/ws', authorization), ...frames]);
          expect(answer.statuses[0]).toBe(101);
          const close = closeCodeOf(answer.text);
          if (close !== undefined) expect(closeCodesKnown).toContain(close);
          expect(answer.text).not.toContain('"internal"');
        },
      );
      await check(property);
    },
    isLong ? 1_800_000 : 120_000,
  );

  test(
    'refuses half and odd handshakes',
    async () => {
      const handshake = fc.tuple(
        fc.oneof(
          fc.constantFrom('/v1/ws', '/v1/ws/', '//', '//x:y/', '/v1/boards', '*', 'http://x/v1/ws', 'http://['),
          path,
        ),
        headers,
        fc.integer({ min: 20, max: 400 }),
        fc.uint8Array({ maxLength: 60 }),
      );
      const property = fc.asyncProperty(handshake, async ([target, more, at, bytes]) => {
        const whole = Buffer.concat([Buffer.from(upgradeRequest(target, more), 'latin1'), Buffer.from(bytes)]);
        expectNoFault(await sendRaw(site.url, [whole.subarray(0, at), whole.subarray(at)]));
      });
      await check(property);
    },
    isLong ? 1_800_000 : 120_000,
  );
});

/** The code of a close frame at the end of what a server sent, if there is one. */
function closeCodeOf(text: string): number | undefined {
  const bytes = Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4), 'latin1');
  for (let at = 0; at + 2 <= bytes.length;) {
    const short = bytes[at + 1]! & 0x7f;
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
    if ((bytes[at]! & 0xf) === 8) return length >= 2 ? bytes.readUInt16BE(at + head) : 1005;
    at += head + length;
  }
  return undefined;
}

describe('after all that', () => {
  test('no process has ended, nothing was a fault, memory is bounded, and the site works', async () => {
    expect(pids()).toEqual(before.pids);
    expect((await residentBytes()) - before.resident).toBeLessThan(250 * 1024 * 1024);
    for (const service of Object.keys(site.site.services)) {
      const log = await readFile(join(site.infrastructure.folder, 'site', 'logs', `${service}.log`), 'utf8');
      const faults = log.split('\n').filter((line) => /"level":"(?:error|fatal)"|Warning/.test(line));
      expect(faults.map((line) => `${service}: ${line.slice(0, 500)}`)).toEqual([]);
    }
    const socket = await WsReader.open<{ type: string }>(`${site.url.replace('http', 'ws')}/v1/ws`, {
      protocols: ['boardwire.v1'],
    });
    socket.send({ type: 'auth', token: tokens.guest });
    socket.send({ type: 'subscribe', sub: 's', board: 'events', subjects: ['AxonChat.>'] });
    await socket.until(({ type }) => type === 'caught_up');
    const json = { subject: 'AxonChat.lobby', type: 'chat.message.posted', data: { text: 'still here' } };
    const answer = await call(`${site.url}/v1/boards/events/events`, { token: tokens.admin, json });
    expect(answer.status).toBe(201);
    await socket.until(({ type }) => type === 'event');
    socket.close();
  });
});
