import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, SseReader, WsReader } from '@boardwire/test-kit';
import { call, signIn, type Person } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

type Frame = Record<string, unknown> & { type: string };

let site: TestSite;
let admin: Person;
let ana: Person;
let eve: Person;
const open: { close(): void }[] = [];

beforeAll(async () => {
  site = await startTestSite({ gateways: 2, env: { LEAVE_GRACE_MS: '0' } });
  admin = await site.admin();
  const rules = [
    { pattern: 'room.*.private.>', class: 'log', access: 'members' },
    { pattern: 'seat.>', class: 'state', access: 'members' },
    { pattern: 'dm.>', class: 'log', access: 'members' },
  ];
  const board = { slug: 'rooms', title: 'Rooms', rules };
  expect((await call(`${site.url}/v1/boards`, { token: admin.token, json: board })).status).toBe(201);
  ana = await person('ana');
  eve = await person('eve');
  await join(ana, ['room.1.private.>', 'seat.1', 'dm.ana']);
}, 60_000);
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});
afterAll(async () => {
  await site?.stop();
}, 30_000);

async function person(name: string): Promise<Person> {
  const json = { name, password: 'long enough for a test', roles: ['publisher'] };
  expect((await call(`${site.url}/v1/auth/accounts`, { token: admin.token, json })).status).toBe(201);
  return signIn(site.url, name, json.password);
}

const elsewhere = () => site.site.services['gateway-2']!.publicUrl!;

/** Known on both gateways when it resolves. */
async function join(who: Person, subjects: string[]): Promise<void> {
  const url = `${site.url}/v1/boards/rooms/members/${who.id}`;
  expect((await call(url, { method: 'PUT', token: admin.token, json: { subjects } })).status).toBe(200);
  await eventually(async () => {
    for (const gateway of [site.url, elsewhere()]) {
      // oxlint-disable-next-line no-await-in-loop -- two
      const { status } = await call(`${gateway}/v1/boards/rooms/events?subject=${subjects[0] ?? 'dm.none'}`, {
        token: who.token,
      });
      expect(status).toBe(subjects.length > 0 ? 200 : 403);
    }
  });
}

const post = (who: Person, subject: string, data: unknown = {}, url = site.url) =>
  call<{ cursor: string; code?: string }>(`${url}/v1/boards/rooms/events`, {
    token: who.token,
    json: { subject, type: 'note', data },
  });

/** Subjects of what a route shows, for each of the filters that could reach too far. */
async function shown(who: Person, path: string): Promise<string[]> {
  const subjects = new Set<string>();
  for (const filter of ['>', '*.>', 'room.>', '*.1.private.*', 'seat.*', 'dm.>', 'dm.ana', 'seat.1']) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { status, body } = await call<{ events: { subject: string }[] }>(
      `${elsewhere()}/v1/boards/rooms/${path}subject=${encodeURIComponent(filter)}`,
      { token: who.token },
    );
    if (status === 200) for (const { subject } of body.events) subjects.add(subject);
    else expect(status).toBe(403);
  }
  return [...subjects].toSorted();
}

const secrets = ['room.1.private.a', 'seat.1', 'dm.ana'];
const others = ['room.2.private.a', 'seat.2', 'dm.eve'];

describe('members’ subjects', () => {
  test('are written by members alone, whatever a grant says', async () => {
    for (const subject of [...secrets, ...others]) {
      const expected = secrets.includes(subject) ? 201 : 403;
      expect([subject, (await post(ana, subject)).status]).toEqual([subject, expected]);
      expect([subject, (await post(eve, subject)).status]).toEqual([subject, 403]);
      expect([subject, (await post(admin, subject)).status]).toEqual([subject, 403]);
    }
    expect((await post(eve, 'room.1.open')).status).toBe(201);
  });

  test('are in history and state for members alone, through every wildcard, and pages stay full', async () => {
    for (const subject of secrets) await post(ana, subject);
    for (let count = 0; count < 3; count += 1) await post(eve, 'room.1.open');
    for (const subject of secrets) await post(ana, subject);
    expect(await shown(eve, 'events?limit=500&')).toEqual(['room.1.open']);
    expect(await shown(ana, 'events?limit=500&')).toEqual([...secrets, 'room.1.open'].toSorted());
    expect(await shown(eve, 'state?')).toEqual([]);
    expect(await shown(ana, 'state?')).toEqual(['seat.1']);
    const page = await call<{ events: unknown[] }>(`${site.url}/v1/boards/rooms/events?limit=3`, { token: eve.token });
    expect(page.body.events).toHaveLength(3);
  });

  test('reach members alone by stream and by socket: replayed, newest, and live', async () => {
    const subjects = ['>', 'room.>', '*.1', 'dm.*', 'dm.ana', 'seat.>'].map(
      (one) => `subject=${encodeURIComponent(one)}`,
    );
    const streams = await Promise.all(
      [eve, ana].flatMap((who) =>
        ['after=start', 'last=100', 'named=1'].map(async (query) => {
          const url = `${elsewhere()}/v1/boards/rooms/stream?${query}&${subjects.join('&')}`;
          const stream = await SseReader.open(url, { token: who.token });
          open.push(stream);
          await stream.until(({ event }) => event === 'caught_up');
          return { who, stream };
        }),
      ),
    );
    const sockets = await Promise.all(
      [eve, ana].map(async (who) => {
        const socket = await WsReader.open<Frame>(`${elsewhere().replace('http', 'ws')}/v1/ws`, {
          protocols: ['boardwire.v1'],
          headers: { authorization: `Bearer ${who.token}` },
        });
        open.push(socket);
        socket.send({ type: 'subscribe', sub: 's', board: 'rooms', subjects: ['>', 'dm.*', 'seat.1'], after: 'start' });
        await socket.until(({ type }) => type === 'caught_up');
        return { who, socket };
      }),
    );
    for (const subject of secrets) await post(ana, subject, { mark: 'live' });
    await post(eve, 'room.1.open', { mark: 'end' });
    const seen = (texts: string[]) =>
      [...secrets, 'room.1.open'].filter((subject) => texts.some((text) => text.includes(`"subject":"${subject}"`)));
    for (const { who, stream } of streams) {
      await stream.until(({ data }) => data?.includes('"mark":"end"') === true);
      const texts = stream.blocks.flatMap(({ data }) => (data === undefined ? [] : [data]));
      expect(seen(texts)).toEqual(who === ana ? [...secrets, 'room.1.open'] : ['room.1.open']);
    }
    for (const { who, socket } of sockets) {
      await socket.until((frame) => JSON.stringify(frame).includes('"mark":"end"'));
      const texts = socket.frames.map((frame) => JSON.stringify(frame));
      expect(seen(texts)).toEqual(who === ana ? [...secrets, 'room.1.open'] : ['room.1.open']);
      socket.send({ type: 'subscribe', sub: 'n', board: 'rooms', subjects: ['dm.>', 'seat.1'] });
      const answer = await socket.until((frame) => frame['sub'] === 'n' && ['fail', 'resumed'].includes(frame.type));
      expect(answer).toMatchObject(who === ana ? { type: 'resumed' } : { type: 'fail', code: 'forbidden' });
    }
  }, 40_000);

  test('show who is there to members alone', async () => {
    const stream = await SseReader.open(`${site.url}/v1/boards/rooms/stream?subject=dm.ana`, { token: ana.token });
    open.push(stream);
    await stream.until(({ event }) => event === 'caught_up');
    const present = async (who: Person, subject: string) => {
      const url = `${site.url}/v1/boards/rooms/presence?subject=${encodeURIComponent(subject)}`;
      const { status, body } = await call<{ users: { name: string }[] }>(url, { token: who.token });
      return status === 200 ? body.users.map(({ name }) => name) : status;
    };
    // Who read before stays for the grace of a leave.
    await eventually(async () => expect(await present(eve, '>')).toEqual([]), { timeoutMs: 10_000 });
    expect(await present(ana, 'dm.ana')).toEqual(['ana']);
    expect(await present(ana, '>')).toEqual(['ana']);
    expect(await present(admin, '*.*')).toEqual([]);
    expect(await present(eve, 'dm.ana')).toBe(403);
    expect(await present(eve, 'dm.>')).toBe(403);
  });
});

describe('the routes of memberships', () => {
  test('are for administrators, and for oneself to read', async () => {
    const members = `${site.url}/v1/boards/rooms/members`;
    const statusOf = async (who: Person, path: string, init: { method?: string; json?: unknown } = {}) =>
      (await call(`${members}${path}`, { token: who.token, ...init })).status;
    expect((await call<{ subjects: string[] }>(`${members}/${ana.id}`, { token: ana.token })).body.subjects).toContain(
      'dm.ana',
    );
    expect((await call<{ members: unknown[] }>(members, { token: admin.token })).body.members).toHaveLength(1);
    expect(await statusOf(eve, `/${ana.id}`)).toBe(403);
    expect(await statusOf(eve, '')).toBe(403);
    expect(await statusOf(eve, `/${eve.id}`, { method: 'PUT', json: { subjects: ['>'] } })).toBe(403);
    expect(await statusOf(eve, `/${eve.id}`, { method: 'DELETE' })).toBe(403);
    expect(await statusOf(eve, `/${eve.id}`)).toBe(404);
    expect(await statusOf(admin, `/${eve.id}`, { method: 'PUT', json: { subjects: ['no subject'] } })).toBe(400);
    expect(await statusOf(admin, '/no%20id', { method: 'PUT', json: { subjects: [] } })).toBe(400);
    expect((await call(`${site.url}/v1/boards/nowhere/members`, { token: admin.token })).status).toBe(404);
  });
});
