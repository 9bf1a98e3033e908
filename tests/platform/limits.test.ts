import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { limits, problemSchema } from '@boardwire/contracts';
import { eventually, SseReader, WsReader } from '@boardwire/test-kit';
import { call, signInAsGuest, type Answer, type Person } from '../support/person.ts';
import { sendRaw } from '../support/raw-client.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

type Frame = Record<string, unknown> & { type: string };
type Limit = keyof typeof limits;

const replayMax = 20;
const headersTimeoutMs = 600;
const bodyTimeoutMs = 1_500;

let site: TestSite;
let admin: Person;
let guests = 0;
const sockets: WsReader<Frame>[] = [];

beforeAll(async () => {
  site = await startTestSite({
    env: {
      REPLAY_EVENTS_MAX: String(replayMax),
      HEADERS_TIMEOUT_MS: String(headersTimeoutMs),
      BODY_TIMEOUT_MS: String(bodyTimeoutMs),
    },
  });
  admin = await site.admin();
}, 60_000);
afterAll(async () => {
  for (const socket of sockets) socket.terminate();
  await site?.stop();
}, 30_000);

/** What is refused here. */
const exercised = new Set<string>();

/** What is no refusal, or is shown elsewhere. */
const elsewhere: Partial<Record<Limit, string>> = {
  publishPerPublisherPerSecond: 'the row above with other numbers: the benchmark publishes at it',
  publishPerPublisherBurst: 'the row above with other numbers: the benchmark publishes at it',
  connectionsPerUserMax: 'tests/platform/gateway-connections.test.ts',
  connectionsPerPublisherMax: 'the row above with another number',
  rangePageMax: 'between services: services/chat/test',
  heartbeatMs: 'a pace, not a refusal: tests/platform/stream.test.ts',
  pingMs: 'a pace, not a refusal: tests/platform/websocket.test.ts',
  missedPongsMax: 'tests/platform/websocket.test.ts',
  outboxBytesMax: 'tests/platform/gateway-connections.test.ts',
  outboxEventsMax: 'services/gateway/test/outbox.test.ts',
  ringEventsMax: 'a bound of memory: what it does not hold is read from the log',
  ringBytesMax: 'a bound of memory: what it does not hold is read from the log',
  replaysPerPodMax: 'a turn to wait for: services/gateway/test/connections.test.ts',
  replaysPerUserMax: 'a turn to wait for: services/gateway/test/connections.test.ts',
  retryMs: 'a pace, not a refusal',
  stalledAfterMs: 'services/gateway/test/connections.test.ts',
  presenceListMax: 'a list that is cut, not refused: the presence suites',
  presenceBeatMs: 'a pace, not a refusal: the presence suites',
  presenceMissedBeatsMax: 'the presence suites',
  presenceChunkBytesMax: 'between gateways: the presence suites',
  typingMs: 'a time that runs out: the presence suites',
  ticketFirstUseMs: 'a life, not a size: services/chat/test/rights.test.ts',
  streamMaxAgeMs: 'a rotation, not a refusal: the suites of connections',
  leaveGraceMs: 'a pace, not a refusal: the presence suites',
  internalRequestTimeoutMs: 'between services: libs/service-kit/test',
  syncWaitMs: 'between services',
  appendBatchEventsMax: 'between services: services/chat/test',
  appendQueueEventsMax: 'a queue inside: it answers `overloaded`',
  relayWindowEvents: 'inside chat',
  accessTokenMs: 'a life, not a refusal: tests/platform',
  refreshTokenMs: 'a life, not a refusal: services/chat/test',
  serviceTokenMs: 'between services: libs/service-kit/test',
  boardsMax: 'services/chat/test',
  membersPerBoardMax: 'for administrators: a conflict of the routes of memberships',
  membershipSubjectsMax: 'for administrators: the schema of memberships',
  refreshGraceMs: 'a time that runs out: services/chat/test/accounts.test.ts',
  outboxTotalBytesMax: 'a bound of memory: tests/platform/slow-clients.test.ts',
  ringsBytesMax: 'a bound of memory: services/gateway/test/ring-budget.test.ts',
  stateBytesMax: 'a state that is cut and says so: tests/platform/classes.test.ts',
  stateSubjectsMax: 'a state that is cut and says so: tests/platform/classes.test.ts',
};

function limit(names: Limit | readonly Limit[], what: string, check: () => Promise<void>, timeoutMs = 20_000): void {
  for (const name of [names].flat()) exercised.add(name);
  test(`${[names].flat().join(', ')}: ${what}`, check, timeoutMs);
}

/** A user of its own for each check: rates are counted by user. */
function somebody(): Promise<Person> {
  guests += 1;
  return signInAsGuest(site.url, `limited-${guests}`);
}

const board = (path = '', query = '') => `${site.url}/v1/boards/events${path}${query}`;
const event = { subject: 'AxonChat.lobby', type: 'note' };
const batchType = { 'content-type': 'application/cloudevents-batch+json' };
const structuredType = { 'content-type': 'application/cloudevents+json' };
const inBatch = (count: number, id: string, data: unknown = 1) =>
  JSON.stringify(Array.from({ length: count }, (_, at) => ({ ...event, specversion: '1.0', id: `${id}-${at}`, data })));

function expectRefusal(answer: Answer, status: number, code: string): void {
  expect({ status: answer.status, code: answer.body?.['code'], text: answer.text.slice(0, 300) }).toMatchObject({
    status,
    code,
  });
}

async function socketOf(person: Person): Promise<WsReader<Frame>> {
  const socket = await WsReader.open<Frame>(`${site.url.replace('http', 'ws')}/v1/ws`, { protocols: ['boardwire.v1'] });
  sockets.push(socket);
  socket.send({ type: 'auth', token: person.token });
  await socket.until(({ type }) => type === 'welcome');
  return socket;
}

/** Sends a frame and answers how it was refused. */
async function refusalOf(socket: WsReader<Frame>, frame: object): Promise<Frame> {
  socket.send(frame);
  return socket.until(({ type }) => type === 'fail' || type === 'ack' || type === 'resumed');
}

const publishFrame = (event: object) => ({ type: 'publish', req: 1, board: 'events', event });
const subscribeFrame = (more: object) => ({ type: 'subscribe', sub: 's', board: 'events', subjects: ['>'], ...more });

/** Every way to ask for subjects, with what a refusal must say. */
async function expectFilterRefused(subjects: readonly string[], code: string, socketCode = code): Promise<void> {
  const query = `?${subjects.map((subject) => `subject=${subject}`).join('&')}`;
  const person = await somebody();
  for (const path of ['/stream', '/events', '/state', '/presence']) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expectRefusal(await call(board(path, query), { token: person.token }), 400, code);
  }
  const socket = await socketOf(person);
  expect(await refusalOf(socket, subscribeFrame({ subjects }))).toMatchObject({ type: 'fail', code: socketCode });
}

async function expectEventRefused(wrong: object, code: string): Promise<void> {
  const person = await somebody();
  const { token } = person;
  expectRefusal(await call(board('/events'), { token, json: { ...event, ...wrong } }), 400, code);
  const structured = { ...event, specversion: '1.0', id: 'refused', ...wrong };
  expectRefusal(await call(board('/events'), { token, json: structured, headers: structuredType }), 400, code);
  const batch = await call<{ code: string }[]>(board('/events'), { token, json: [structured], headers: batchType });
  expect(batch.body).toMatchObject([{ status: 400, code }]);
  const socket = await socketOf(person);
  expect(await refusalOf(socket, publishFrame({ ...event, ...wrong }))).toMatchObject({ type: 'fail', req: 1, code });
}

describe('events', () => {
  limit('eventBytesMax', 'one byte more is too_large, in every form and on the socket', async () => {
    const person = await somebody();
    const { token } = person;
    const shell = { ...event, specversion: '1.0', id: 'largest', data: '' };
    const room = limits.eventBytesMax - JSON.stringify(shell).length;
    const fits = { ...shell, data: 'a'.repeat(room) };
    const tooLarge = { ...shell, id: 'too-large', data: 'a'.repeat(room - 1) };
    expect((await call(board('/events'), { token, json: fits, headers: structuredType })).status).toBe(201);
    expect(Buffer.byteLength(JSON.stringify(tooLarge))).toBe(limits.eventBytesMax + 1);
    expectRefusal(await call(board('/events'), { token, json: tooLarge, headers: structuredType }), 413, 'too_large');
    const plain = { ...event, data: 'a'.repeat(limits.eventBytesMax) };
    expectRefusal(await call(board('/events'), { token, json: plain }), 413, 'too_large');
    const ce = { 'ce-specversion': '1.0', 'ce-id': 'b', 'ce-source': `/users/${person.id}`, 'ce-type': 'note' };
    const headers = { ...ce, 'ce-subject': 'AxonChat.lobby', 'content-type': 'application/json' };
    const body = JSON.stringify('a'.repeat(limits.eventBytesMax));
    expectRefusal(await call(board('/events'), { method: 'POST', token, body, headers }), 413, 'too_large');
    const batch = await call<object[]>(board('/events'), {
      token,
      json: [tooLarge, { ...shell, id: 'ok' }],
      headers: batchType,
    });
    expect(batch.body).toMatchObject([{ status: 413, code: 'too_large' }, { status: 201 }]);
    const socket = await socketOf(person);
    expect(await refusalOf(socket, publishFrame(plain))).toMatchObject({ type: 'fail', req: 1, code: 'too_large' });
  });

  limit('batchEventsMax', 'one more is too_large, and nothing of it is stored', async () => {
    const { token } = await somebody();
    const whole = await call<unknown[]>(board('/events'), {
      method: 'POST',
      token,
      body: inBatch(limits.batchEventsMax, 'full'),
      headers: batchType,
    });
    expect(whole.status).toBe(201);
    expect(whole.body).toHaveLength(limits.batchEventsMax);
    const over = await call(board('/events'), {
      method: 'POST',
      token: admin.token,
      body: inBatch(limits.batchEventsMax + 1, 'over'),
      headers: batchType,
    });
    expectRefusal(over, 413, 'too_large');
  });

  limit('batchBytesMax', 'one byte more is too_large', async () => {
    const body = inBatch(20, 'heavy', 'a'.repeat(60_000));
    expect(body.length).toBeGreaterThan(limits.batchBytesMax);
    expectRefusal(
      await call(board('/events'), { method: 'POST', token: admin.token, body, headers: batchType }),
      413,
      'too_large',
    );
    const exact = `${inBatch(2, 'exact')}`.padEnd(limits.batchBytesMax, ' ');
    const answer = await call(board('/events'), {
      method: 'POST',
      token: admin.token,
      body: exact,
      headers: batchType,
    });
    expect(answer.status).toBe(201);
    const over = `${exact} `;
    expectRefusal(
      await call(board('/events'), { method: 'POST', token: admin.token, body: over, headers: batchType }),
      413,
      'too_large',
    );
  });

  limit('eventIdBytesMax', 'one byte more is invalid', () =>
    expectEventRefused({ id: 'i'.repeat(limits.eventIdBytesMax + 1) }, 'invalid'),
  );

  limit('eventSourceBytesMax', 'one byte more is invalid', async () => {
    const { token } = await somebody();
    const json = { ...event, specversion: '1.0', id: 'a', source: `/${'s'.repeat(limits.eventSourceBytesMax)}` };
    expectRefusal(await call(board('/events'), { token, json, headers: structuredType }), 400, 'invalid');
  });
});

describe('attributes of CloudEvents', () => {
  const expectAttributeRefused = async (wrong: object) => {
    const { token } = await somebody();
    const json = { ...event, specversion: '1.0', id: 'attributed', data: 1, ...wrong };
    const answer = await call(board('/events'), { token, json, headers: structuredType });
    expect(answer.status).toBe(400);
    expect(problemSchema.parse(answer.body).code).toMatch(/^invalid/);
  };
  const attributes = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`x${at}`, 'v']));

  limit('mediaTypeCharsMax', 'one character more is invalid', () =>
    expectAttributeRefused({ datacontenttype: `text/${'m'.repeat(limits.mediaTypeCharsMax - 4)}` }),
  );
  limit('dataschemaCharsMax', 'one character more is invalid', () =>
    expectAttributeRefused({ dataschema: `http://x/${'s'.repeat(limits.dataschemaCharsMax - 8)}` }),
  );
  limit('extensionsMax', 'one more is invalid', () => expectAttributeRefused(attributes(limits.extensionsMax + 1)));
  limit('extensionCharsMax', 'one character more is invalid', () =>
    expectAttributeRefused({ traceid: 't'.repeat(limits.extensionCharsMax + 1) }),
  );
});

describe('subjects and filters', () => {
  limit('subjectBytesMax', 'one byte more is no subject and no filter', async () => {
    const long = 's'.repeat(limits.subjectBytesMax + 1);
    await expectEventRefused({ subject: long }, 'invalid_subject');
    await expectFilterRefused([long], 'invalid_filter');
  });

  limit('subjectTokensMax', 'one token more is no subject and no filter', async () => {
    const deep = Array(limits.subjectTokensMax + 1)
      .fill('t')
      .join('.');
    await expectEventRefused({ subject: deep }, 'invalid_subject');
    await expectFilterRefused([deep], 'invalid_filter');
  });

  limit('filtersPerSubscriptionMax', 'one filter more is refused wherever filters go', async () => {
    const many = Array.from({ length: limits.filtersPerSubscriptionMax + 1 }, (_, at) => `s${at}`);
    await expectFilterRefused(many, 'invalid_filter', 'invalid');
  });
});

describe('reading', () => {
  limit('replayEventsMax', 'one event more is reset too_far, which says where to read them', async () => {
    const { token } = admin;
    const before = await call<{ epoch: string; head: number }>(board(), { token });
    const after = `${before.body.epoch}-${before.body.head}`;
    const publish = (count: number, id: string) =>
      call(board('/events'), { method: 'POST', token, body: inBatch(count, id, 'far'), headers: batchType });
    await publish(replayMax, 'far');
    const exact = await SseReader.open(board('/stream', `?after=${after}&subject=AxonChat.lobby`), { token });
    const opening = await exact.until(({ event: name }) => name !== undefined);
    expect(JSON.parse(opening.data!)).toMatchObject({ replayed: replayMax });
    exact.close();
    await publish(1, 'further');
    const far = await SseReader.open(board('/stream', `?after=${after}&subject=AxonChat.lobby&type=note`), { token });
    const reset = await far.until(({ event: name }) => name === 'reset');
    const told = JSON.parse(reset.data!) as { reason: string; requested: string; history: string };
    expect(told).toMatchObject({ reason: 'too_far', requested: after });
    far.close();
    const missed = await call<{ events: unknown[] }>(`${site.url}${told.history}`, { token });
    expect(missed.body.events).toHaveLength(replayMax + 1);
    const socket = await socketOf(admin);
    socket.send(subscribeFrame({ after, subjects: ['AxonChat.lobby'] }));
    const frame = await socket.until(({ type }) => type === 'reset');
    expect(frame).toMatchObject({
      reason: 'too_far',
      requested: after,
      history: told.history.replace('&type=note', ''),
    });
  });

  limit('lastMax', 'one more is invalid', async () => {
    const person = await somebody();
    const last = limits.lastMax + 1;
    expectRefusal(await call(board('/stream', `?last=${last}`), { token: person.token }), 400, 'invalid');
    const socket = await socketOf(person);
    expect(await refusalOf(socket, subscribeFrame({ last }))).toMatchObject({
      type: 'fail',
      sub: 's',
      code: 'invalid',
    });
  });

  limit(
    ['historyPageMax', 'historyPageDefault'],
    'a page above the one is invalid, and the other is what one gets',
    async () => {
      const { token } = await somebody();
      expectRefusal(await call(board('/events', `?limit=${limits.historyPageMax + 1}`), { token }), 400, 'invalid');
      const page = await call<{ events: unknown[]; prev: string | null }>(board('/events'), { token });
      expect(page.body.events).toHaveLength(limits.historyPageDefault);
      expect(page.body.prev).not.toBeNull();
    },
  );
});

describe('sockets', () => {
  limit('subscriptionsPerSocketMax', 'one more is refused, and the others go on', async () => {
    const socket = await socketOf(admin);
    for (let at = 0; at < limits.subscriptionsPerSocketMax; at += 1) {
      socket.send({ type: 'subscribe', sub: `s${at}`, board: 'events', subjects: ['nobody'] });
    }
    const refusal = await refusalOf(socket, { type: 'unsubscribe', sub: 'nobody-has-this-name', req: 9 }).then(() =>
      refusalOf(socket, { type: 'subscribe', sub: 'one-more', board: 'events', subjects: ['nobody'] }),
    );
    const fail = refusal['sub'] === 'one-more' ? refusal : await socket.until((frame) => frame['sub'] === 'one-more');
    expect(fail).toMatchObject({ type: 'fail', code: 'invalid' });
    socket.send({ type: 'ping', req: 1 });
    await socket.until(({ type }) => type === 'pong');
  });

  limit(['framesPerSocketPerSecond', 'framesPerSocketBurst'], 'more close it with 4009, and it says why', async () => {
    const { framesPerSocketBurst: burst, framesPerSocketPerSecond: perSecond } = limits;
    const opened = performance.now();
    const socket = await socketOf(await somebody());
    const pongs = () => socket.frames.filter(({ type }) => type === 'pong').length;
    const ping = (count: number) => {
      for (let at = 0; at < count; at += 1) socket.send({ type: 'ping' });
    };
    // Who it is was a frame as well.
    ping(burst - 1);
    await eventually(() => expect(pongs()).toBe(burst - 1));
    const usedUp = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const restedMs = performance.now() - usedUp;
    ping(burst + perSecond);
    expect((await socket.ended()).code).toBe(4009);
    expect(socket.frames.at(-1)).toMatchObject({ type: 'fail', code: 'rate_limited' });
    const flowedBack = pongs() - (burst - 1);
    expect(flowedBack).toBeGreaterThanOrEqual(Math.floor((perSecond * restedMs) / 1_000));
    expect(flowedBack).toBeLessThanOrEqual(Math.ceil((perSecond * (performance.now() - opened)) / 1_000));
  });

  limit('frameBytesMax', 'one byte more closes it with 1009', async () => {
    const socket = await socketOf(await somebody());
    const ping = JSON.stringify({ type: 'ping', req: 5 });
    socket.send(ping.padEnd(limits.frameBytesMax, ' '));
    await socket.until(({ type }) => type === 'pong');
    socket.send(ping.padEnd(limits.frameBytesMax + 1, ' '));
    expect((await socket.ended()).code).toBe(1009);
  });
});

describe('rates', () => {
  limit(
    ['publishPerUserPerSecond', 'publishPerUserBurst'],
    'more are rate_limited with a time, over HTTP and socket',
    async () => {
      const person = await somebody();
      const { token } = person;
      const publish = (id: string) =>
        call(board('/events'), { method: 'POST', token, body: inBatch(250, id), headers: batchType });
      const began = performance.now();
      expect((await publish('first')).status).toBe(201);
      expect((await publish('second')).status).toBe(201);
      const refused = await publish('third');
      expectRefusal(refused, 429, 'rate_limited');
      const waitMs = Number(refused.body['retryAfterMs']);
      // The burst is used up; what has flowed back since it began to be used need not be waited for.
      const wholeMs = (250 / limits.publishPerUserPerSecond) * 1_000;
      expect(waitMs).toBeGreaterThanOrEqual(Math.floor(wholeMs - (performance.now() - began)));
      expect(waitMs).toBeLessThanOrEqual(wholeMs);
      expect(Number(refused.headers.get('retry-after'))).toBe(Math.ceil(waitMs / 1_000));
      const socket = await socketOf(person);
      // Faster than the rate flows back, and fewer than the socket takes at once.
      for (let at = 0; at < 150; at += 1) socket.send(publishFrame(event));
      const fail = await socket.until(({ type }) => type === 'fail');
      expect(fail).toMatchObject({ req: 1, code: 'rate_limited' });
      expect(Number(fail['retryAfterMs'])).toBeGreaterThan(0);
    },
  );
});

describe('boards', () => {
  limit('bannedPerBoardMax', 'one more is refused', async () => {
    const banned = Array.from({ length: limits.bannedPerBoardMax + 1 }, (_, at) => `somebody-${at}`);
    const ban = (names: string[]) => call(board(), { method: 'PATCH', token: admin.token, json: { banned: names } });
    const refused = await ban(banned);
    expectRefusal(refused, 400, 'invalid');
    expect(refused.text).toContain('banned');
    expect((await ban(banned.slice(1))).status).toBe(200);
    expect((await ban([])).status).toBe(200);
  });
});

describe('accounts', () => {
  limit('ignoredPerAccountMax', 'one more is in conflict, and those there are stay', async () => {
    const { token } = await somebody();
    const url = `${site.url}/v1/me/ignores`;
    const ignore = (at: number) => call(`${url}/author-${at}`, { method: 'PUT', token });
    for (let from = 0; from < limits.ignoredPerAccountMax; from += 16) {
      // oxlint-disable-next-line no-await-in-loop -- a few at a time
      const answers = await Promise.all(Array.from({ length: 16 }, (_, at) => ignore(from + at)));
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 204));
    }
    expectRefusal(await ignore(limits.ignoredPerAccountMax), 409, 'conflict');
    expect((await ignore(0)).status).toBe(204);
    expect((await call<{ authors: string[] }>(url, { token })).body.authors).toHaveLength(limits.ignoredPerAccountMax);
  });

  limit(
    ['nameCharsMin', 'nameCharsMax', 'passwordCharsMin', 'passwordCharsMax'],
    'one less or more is invalid',
    async () => {
      const register = (name: string, password: string) =>
        call(`${site.url}/v1/auth/register`, { json: { name, password } });
      const name = 'n'.repeat(limits.nameCharsMin);
      const password = 'p'.repeat(limits.passwordCharsMin);
      for (const [who, secret] of [
        ['n'.repeat(limits.nameCharsMin - 1), password],
        ['n'.repeat(limits.nameCharsMax + 1), password],
        [name, 'p'.repeat(limits.passwordCharsMin - 1)],
        [name, 'p'.repeat(limits.passwordCharsMax + 1)],
      ] as const) {
        // oxlint-disable-next-line no-await-in-loop
        expectRefusal(await register(who, secret), 400, 'invalid');
      }
      expect((await register(name, password)).status).toBe(201);
    },
  );
});

describe('requests', () => {
  const slowly = (first: string, waitMs: number) => sendRaw(site.url, [first], { quietMs: waitMs });

  limit('headersTimeoutMs', 'who sends them slower gets 408, on every route and on a handshake', async () => {
    const starts = [
      '',
      'GET /v1/boards HTTP/1.1\r\nhost: x\r\n',
      `GET /v1/boards/events/stream HTTP/1.1\r\nauthorization: Bearer ${admin.token}\r\n`,
      'GET /v1/ws HTTP/1.1\r\nupgrade: websocket\r\n',
    ];
    for (const start of starts) {
      const from = performance.now();
      // oxlint-disable-next-line no-await-in-loop
      const answer = await slowly(start, headersTimeoutMs + 4_000);
      expect({ start, closed: answer.isClosed, statuses: answer.statuses }).toEqual({
        start,
        closed: true,
        statuses: [408],
      });
      expect(answer.text).toContain('request_timeout');
      expect(performance.now() - from).toBeGreaterThan(headersTimeoutMs - 50);
    }
  });

  limit('bodyTimeoutMs', 'who sends it slower gets 408', async () => {
    const head = `POST /v1/boards/events/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${admin.token}\r\n`;
    const answer = await slowly(
      `${head}content-type: application/json\r\ncontent-length: 1000\r\n\r\n{"subject":`,
      bodyTimeoutMs + 4_000,
    );
    expect({ closed: answer.isClosed, statuses: answer.statuses }).toEqual({ closed: true, statuses: [408] });
    expect(answer.text).toContain('request_timeout');
  });

  test('an open stream and an open socket outlive both, also with a body that never comes', async () => {
    const stream = await SseReader.open(board('/stream'), { token: admin.token });
    const late = sendRaw(
      site.url,
      [
        `GET /v1/boards/events/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${admin.token}\r\ncontent-length: 5\r\n\r\n`,
      ],
      { quietMs: bodyTimeoutMs + 2_000 },
    );
    const socket = await socketOf(admin);
    const { statuses } = await late;
    expect(statuses).toEqual([200]);
    expect(stream.isOpen).toBe(true);
    socket.send({ type: 'ping' });
    await socket.until(({ type }) => type === 'pong');
    stream.close();
  });

  test('an address or headers above 16 KiB are headers_too_large, a longer part of a path is nowhere', async () => {
    const authorization = `authorization: Bearer ${admin.token}\r\n`;
    const address = await sendRaw(site.url, [`GET /v1/boards?x=${'a'.repeat(17_000)} HTTP/1.1\r\nhost: x\r\n\r\n`]);
    expect(address.statuses).toEqual([431]);
    expect(address.text).toContain('headers_too_large');
    const headers = await sendRaw(site.url, [
      `GET /v1/boards HTTP/1.1\r\nhost: x\r\n${authorization}x: ${'a'.repeat(17_000)}\r\n\r\n`,
    ]);
    expect(headers.statuses).toEqual([431]);
    const part = await call(`${site.url}/v1/boards/${'a'.repeat(3_000)}/events`, { token: admin.token });
    expectRefusal(part, 404, 'not_found');
  });
});

test('every limit is refused here, or it says why not', () => {
  const here = [...exercised];
  const there = Object.keys(elsewhere);
  expect(here.filter((name) => there.includes(name))).toEqual([]);
  expect([...here, ...there].toSorted()).toEqual(Object.keys(limits).toSorted());
});
