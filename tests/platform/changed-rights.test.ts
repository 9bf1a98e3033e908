import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, SseReader, WsReader } from '@boardwire/test-kit';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { call, signIn, type Person } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

type Frame = Record<string, unknown> & { type: string };

/** Changed rights must reach every open stream within this. */
const reachesWithinMs = 1_000;

let site: TestSite;
let admin: Person;
let people = 0;
let boards = 0;
const open: { close(): void }[] = [];

beforeAll(async () => {
  site = await startTestSite({ gateways: 2, env: { LEAVE_GRACE_MS: '0' } });
  admin = await site.admin();
}, 60_000);
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});
afterAll(async () => {
  await site?.stop();
}, 30_000);

const gateways = () => [site.url, site.site.services['gateway-2']!.publicUrl!];

/** The site runs in this process: what the machine keeps from it is not its own time. */
const lag = monitorEventLoopDelay({ resolution: 10 });
lag.enable();

/** The moment at which a change was answered. */
function begin(): number {
  lag.reset();
  return performance.now();
}

function assertInTime(began: number): void {
  expect(performance.now() - began - lag.max / 1e6).toBeLessThan(reachesWithinMs);
}

async function newPerson(role = 'publisher'): Promise<Person> {
  people += 1;
  const json = { name: `person ${people}`, password: 'long enough for a test', roles: [role] };
  expect((await call(`${site.url}/v1/auth/accounts`, { token: admin.token, json })).status).toBe(201);
  return signIn(site.url, json.name, json.password);
}

/** Made before people sign in: tokens of publishers name their boards. */
async function newBoard(rules: unknown[] = []): Promise<string> {
  boards += 1;
  const json = { slug: `changing-${boards}`, title: 'Changing', rules };
  expect((await call(`${site.url}/v1/boards`, { token: admin.token, json })).status).toBe(201);
  return json.slug;
}

async function ask(method: string, path: string, json: unknown): Promise<void> {
  const { status, text } = await call(`${site.url}${path}`, { method, token: admin.token, json });
  if (status >= 300) throw new Error(`${method} ${path} answered ${status}: ${text}`);
}
const setRules = (board: string, rules: unknown[]) => ask('PATCH', `/v1/boards/${board}`, { rules });
const setMember = (board: string, { id }: Person, subjects: string[]) =>
  ask('PUT', `/v1/boards/${board}/members/${id}`, { subjects });
const setAccount = ({ id }: Person, change: unknown) => ask('PATCH', `/v1/auth/accounts/${id}`, change);

const post = (board: string, who: Person, subject: string) =>
  call<{ cursor: string }>(`${site.url}/v1/boards/${board}/events`, {
    token: who.token,
    json: { subject, type: 'note', data: {} },
  });

/** A reader on each gateway by each transport, which tells the cursors it has got. */
async function readers(board: string, who: Person, subjects: string[], query = '') {
  const filters = subjects.map((subject) => `subject=${encodeURIComponent(subject)}`).join('&');
  const streams = await Promise.all(
    gateways().map(async (url) => {
      const stream = await SseReader.open(`${url}/v1/boards/${board}/stream?${filters}${query}`, { token: who.token });
      open.push(stream);
      await stream.until(({ event }) => event === 'caught_up');
      return {
        cursors: () => stream.blocks.flatMap(({ id, event, data }) => (event === undefined && data ? [id!] : [])),
        hasEnded: () => stream.blocks.some(({ event }) => event === 'revoked') && !stream.isOpen,
      };
    }),
  );
  const sockets = await Promise.all(
    gateways().map(async (url) => {
      const socket = await openSocket(url, who);
      socket.send({ type: 'subscribe', sub: 's', board, subjects });
      await socket.until(({ type }) => type === 'caught_up');
      return {
        cursors: () => socket.frames.flatMap((frame) => (frame.type === 'event' ? [frame['cursor'] as string] : [])),
        hasEnded: () => socket.closed?.code === 4003 || socket.closed?.code === 4001,
      };
    }),
  );
  return [...streams, ...sockets];
}

async function openSocket(url: string, who: Person): Promise<WsReader<Frame>> {
  const headers = { authorization: `Bearer ${who.token}` };
  const socket = await WsReader.open<Frame>(`${url.replace('http', 'ws')}/v1/ws`, {
    protocols: ['boardwire.v1'],
    headers,
  });
  open.push(socket);
  await socket.until(({ type }) => type === 'welcome');
  return socket;
}

type Reader = Awaited<ReturnType<typeof readers>>[number];

async function within(reads: Reader[], condition: (reader: Reader) => boolean, sinceMs: number): Promise<void> {
  await eventually(() => expect(reads.map(condition)).toEqual(reads.map(() => true)), { timeoutMs: 5_000 });
  assertInTime(sinceMs);
}

/** Posts until each of the readers has got one of the posts, or none of them gets any more. */
async function settled(board: string, who: Person, subject: string): Promise<string> {
  const { status, body } = await post(board, who, subject);
  expect(status).toBe(201);
  return body.cursor;
}

describe('a membership', () => {
  const rules = [{ pattern: 'dm.>', class: 'log', access: 'members' }];

  test('that is given or ended reaches open streams within a second, and doesn’t reach back', async () => {
    const board = await newBoard(rules);
    const [reader, writer] = [await newPerson(), await newPerson()];
    await setMember(board, writer, ['dm.>']);
    await eventually(async () => expect((await post(board, writer, 'dm.x')).status).toBe(201));
    const reads = await readers(board, reader, ['>']);
    const before = await settled(board, writer, 'dm.x');
    // Both gateways have passed it: what is still on its way when the right arrives may be shown.
    const open0 = await settled(board, writer, 'open');
    await within(reads, (one) => one.cursors().includes(open0), begin());
    await setMember(board, reader, ['dm.x']);
    let began = begin();
    await ownRightIs(board, reader, 'dm.x', 200);
    assertInTime(began);
    const gained = await settled(board, writer, 'dm.x');
    const hidden = await settled(board, writer, 'dm.y');
    const open1 = await settled(board, writer, 'open');
    await within(reads, (one) => one.cursors().includes(open1), begin());
    for (const one of reads) expect(one.cursors()).toEqual([open0, gained, open1]);
    await setMember(board, reader, []);
    began = begin();
    await ownRightIs(board, reader, 'dm.x', 403);
    assertInTime(began);
    const lost = await settled(board, writer, 'dm.x');
    const open2 = await settled(board, writer, 'open');
    await within(reads, (one) => one.cursors().includes(open2), begin());
    for (const one of reads) {
      expect(one.cursors()).toEqual([open0, gained, open1, open2]);
      for (const cursor of [before, hidden, lost]) expect(one.cursors()).not.toContain(cursor);
    }
  }, 40_000);

  test('that was all somebody had ends their streams with it', async () => {
    const board = await newBoard(rules);
    const reader = await newPerson();
    await setMember(board, reader, ['dm.only']);
    await ownRightIs(board, reader, 'dm.only', 200);
    const reads = await readers(board, reader, ['dm.only']);
    await setMember(board, reader, []);
    const began = begin();
    await within(reads, (one) => one.hasEnded(), began);
    const refused = await call(`${site.url}/v1/boards/${board}/stream?subject=dm.only`, { token: reader.token });
    expect(refused.status).toBe(403);
  }, 20_000);

  test('that ends in the middle of history gives nothing of it from then on', async () => {
    const board = await newBoard(rules);
    const [reader, writer] = [await newPerson(), await newPerson()];
    for (const who of [reader, writer]) await setMember(board, who, ['dm.x']);
    await ownRightIs(board, writer, 'dm.x', 200);
    await ownRightIs(board, reader, 'dm.x', 200);
    const token = writer.token;
    const batch = Array.from({ length: 100 }, (_, at) => ({
      specversion: '1.0',
      id: `b${at}`,
      subject: at % 2 === 0 ? 'dm.x' : 'open',
      type: 'note',
      data: { pad: 'x'.repeat(6_000) },
    }));
    for (let round = 0; round < 20; round += 1) {
      const body = JSON.stringify(batch.map((event) => ({ ...event, id: `${round}-${event.id}` })));
      const headers = { 'content-type': 'application/cloudevents-batch+json' };
      expect((await call(`${site.url}/v1/boards/${board}/events`, { token, body, headers })).status).toBe(201);
    }
    const stream = await SseReader.open(`${site.url}/v1/boards/${board}/stream?subject=>&after=start`, {
      token: reader.token,
    });
    open.push(stream);
    // Some of it is read, then nothing: what remains is still to be read from the log.
    await stream.until(({ data }) => data?.includes('"dm.x"') === true);
    stream.pause();
    await setMember(board, reader, []);
    await ownRightIs(board, reader, 'dm.x', 403);
    stream.resume();
    await stream.until(({ event }) => event === 'caught_up', { timeoutMs: 20_000 });
    const subjects = stream.blocks.flatMap(({ event, data }) =>
      event === undefined && data !== undefined ? [(JSON.parse(data) as { subject: string }).subject] : [],
    );
    expect(subjects.filter((subject) => subject === 'open')).toHaveLength(1_000);
    const got = subjects.filter((subject) => subject === 'dm.x').length;
    expect(got).toBeGreaterThan(0);
    expect(got).toBeLessThan(1_000);
    expect(subjects.slice(-200)).not.toContain('dm.x');
  }, 60_000);
});

/** What HTTP answers follows the same rights as open streams, in the same tick. */
async function ownRightIs(board: string, { token }: Person, subject: string, status: number): Promise<void> {
  await eventually(async () => {
    for (const url of gateways()) {
      // oxlint-disable-next-line no-await-in-loop -- two
      expect((await call(`${url}/v1/boards/${board}/events?subject=${subject}`, { token })).status).toBe(status);
    }
  });
}

describe('the rules of a board', () => {
  test('close and open subjects for open streams within a second', async () => {
    const board = await newBoard();
    const [reader, writer] = [await newPerson(), await newPerson()];
    const reads = await readers(board, reader, ['>']);
    const only = await readers(board, reader, ['dm.x', 'dm.y']);
    const first = await settled(board, writer, 'dm.x');
    await within([...reads, ...only], (one) => one.cursors().includes(first), begin());
    await setRules(board, [{ pattern: 'dm.>', class: 'log', access: 'members' }]);
    let began = begin();
    await within(only, (one) => one.hasEnded(), began);
    await setMember(board, writer, ['dm.x']);
    await ownRightIs(board, writer, 'dm.x', 200);
    await settled(board, writer, 'dm.x');
    const second = await settled(board, writer, 'open');
    await within(reads, (one) => one.cursors().includes(second), begin());
    for (const one of reads) expect(one.cursors()).toEqual([first, second]);
    await setRules(board, []);
    began = begin();
    await ownRightIs(board, reader, 'dm.x', 200);
    assertInTime(began);
    const third = await settled(board, writer, 'dm.x');
    await within(reads, (one) => one.cursors().includes(third), begin());
    for (const one of reads) expect(one.cursors()).toEqual([first, second, third]);
  }, 40_000);
});

describe('the roles of an account', () => {
  test('that change take the place of what an older token says, on open streams and on HTTP', async () => {
    const board = await newBoard();
    const person = await newPerson('publisher');
    const reads = await readers('site', await withRole(person, 'auditor'), ['>']);
    expect((await post(board, person, 'note.x')).status).toBe(403);
    await setAccount(person, { roles: ['publisher'] });
    const began = begin();
    await within(reads, (one) => one.hasEnded(), began);
    await eventually(async () => expect((await post(board, person, 'note.x')).status).toBe(201));
    expect((await call(`${site.url}/v1/boards/site/events`, { token: person.token })).status).toBe(403);
    const me = await call<{ roles: string[] }>(`${site.url}/v1/auth/me`, { token: person.token });
    expect(me.body.roles).toEqual(['publisher']);
  }, 30_000);

  test('of an administrator that are taken away end what an administrator may do', async () => {
    const person = await newPerson('admin');
    const rename = () =>
      call(`${site.url}/v1/boards/events`, { method: 'PATCH', token: person.token, json: { is_realtime: true } });
    expect((await rename()).status).toBe(200);
    await setAccount(person, { roles: ['user'] });
    const began = begin();
    await eventually(async () => expect((await rename()).status).toBe(403));
    assertInTime(began);
    const url = `${site.url}/v1/auth/accounts/${person.id}`;
    const again = await call(url, { method: 'PATCH', token: person.token, json: { roles: ['admin'] } });
    expect(again.status).toBe(403);
  }, 20_000);

  test('hold on a socket by which somebody publishes, without a new token', async () => {
    const board = await newBoard();
    const person = await newPerson('publisher');
    const socket = await openSocket(gateways()[1]!, person);
    const publish = async (req: number) => {
      socket.send({ type: 'publish', req, board, event: { subject: 'note.x', type: 'note' } });
      return (await socket.until((frame) => frame['req'] === req)).type;
    };
    expect(await publish(1)).toBe('ack');
    await setAccount(person, { roles: ['auditor'] });
    let req = 1;
    await eventually(async () => {
      req += 1;
      expect(await publish(req)).toBe('fail');
    });
  }, 20_000);

  test('of a disabled account end everything, and come back when it is enabled', async () => {
    const person = await newPerson('publisher');
    const reads = await readers('events', person, ['>']);
    await setAccount(person, { disabled: true });
    const began = begin();
    await within(reads, (one) => one.hasEnded(), began);
    expect((await call(`${site.url}/v1/auth/me`, { token: person.token })).status).toBe(401);
    await expect(signIn(site.url, person.name, 'long enough for a test')).rejects.toThrow('403');
    await setAccount(person, { disabled: false });
    const back = await signIn(site.url, person.name, 'long enough for a test');
    expect((await call(`${site.url}/v1/auth/me`, { token: back.token })).status).toBe(200);
  }, 20_000);
});

/** Gives another role and signs in again, so that the token says it. */
async function withRole(person: Person, role: string): Promise<Person> {
  await setAccount(person, { roles: [role] });
  const again = await signIn(site.url, person.name, 'long enough for a test');
  person.token = again.token;
  return again;
}

describe('a newer token on an open socket', () => {
  test('gives its rights to the subscriptions that are open', async () => {
    const person = await newPerson('publisher');
    const socket = await openSocket(site.url, person);
    const later = await newBoard();
    // The token was given before the board was made: a publisher's names boards one by one.
    socket.send({ type: 'subscribe', sub: 'early', board: later, subjects: ['note.>'] });
    expect(await socket.until((frame) => frame['sub'] === 'early')).toMatchObject({ type: 'fail', code: 'forbidden' });
    socket.send({ type: 'subscribe', sub: 'kept', board: 'events', subjects: ['>'] });
    await socket.until((frame) => frame.type === 'caught_up');
    await call(`${site.url}/v1/auth/refresh`, { json: { refreshToken: person.refreshToken } }).then(({ body }) =>
      socket.send({ type: 'auth', req: 'new', token: body['accessToken'] }),
    );
    await socket.until((frame) => frame['req'] === 'new');
    const { cursor } = (await post('events', admin, 'SystemAlert.now')).body;
    expect(await socket.until((frame) => frame.type === 'event')).toMatchObject({ sub: 'kept', cursor });
    socket.send({ type: 'subscribe', sub: 'later', board: later, subjects: ['note.>'] });
    expect(await socket.until((frame) => frame['sub'] === 'later')).toMatchObject({ type: 'resumed' });
  }, 20_000);
});
