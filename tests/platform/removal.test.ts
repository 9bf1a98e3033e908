import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { boardsStream, boardSubject, redactedType, type StoredEvent } from '@boardwire/contracts';
import { connectBus, type Bus } from '@boardwire/messaging';
import { eventually } from '@boardwire/test-kit';
import pg from 'pg';
import { call, say, signInAsGuest, type Person } from '../support/person.ts';
import { StreamRecorder } from '../support/stream-recorder.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

let site: TestSite;
let admin: Person;
let ana: Person;
let bus: Bus;
let database: pg.Client;
const recorders: StreamRecorder[] = [];
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

beforeAll(async () => {
  site = await startTestSite({ gateways: 2 });
  admin = await site.admin();
  ana = await signInAsGuest(site.url, 'ana');
  const { nats, postgres } = site.infrastructure;
  const token = nats.token === undefined ? {} : { token: nats.token };
  bus = await connectBus({ url: nats.url, ...token, name: 'test', logger: quiet });
  database = new pg.Client({ connectionString: postgres.url });
  await database.connect();
}, 60_000);

afterAll(async () => {
  for (const recorder of recorders) recorder.close();
  await database?.end();
  await bus?.close();
  await site?.stop();
}, 30_000);

const gateways = () => ['gateway', 'gateway-2'].map((name) => site.site.services[name]!.publicUrl!);

function remove(cursor: string, token = admin.token) {
  return call(`${site.url}/v1/boards/events/events/${cursor}`, { method: 'DELETE', token });
}

/** All that a reader of one gateway gets of the board from a cursor on. */
async function replayed(url: string, after: string): Promise<string> {
  const recorder = new StreamRecorder(`${url}/v1/boards/events/stream?after=${after}`, { token: ana.token });
  recorders.push(recorder);
  await recorder.until((it) => it.named('caught_up').length === 1);
  recorder.close();
  return recorder.events.map(({ data }) => data).join('\n');
}

describe('content that an administrator removes', () => {
  test('is gone from history, from replays of every gateway and from the log; what is around it stays', async () => {
    const before = await say(site.url, ana, 'before');
    const secret = await say(site.url, ana, 'my number is 0178 555');
    const after = await say(site.url, ana, 'after');
    // Both gateways hold it: in their rings, and as cached slices of replays.
    for (const url of gateways()) expect(await replayed(url, before.body.cursor)).toContain('0178 555');
    expect((await remove(secret.body.cursor)).status).toBe(204);
    await eventually(
      async () => {
        for (const url of gateways()) {
          const text = await replayed(url, before.body.cursor);
          expect(text).not.toContain('0178 555');
          expect(text).toContain('"after"');
        }
      },
      { timeoutMs: 1_500 },
    );
    const history = await call(`${site.url}/v1/boards/events/events?limit=500`, { token: ana.token });
    expect(history.text).not.toContain('0178 555');
    expect(history.text).toContain(after.body.cursor);
    const stored = await database.query(
      "SELECT 1 FROM chat.event e WHERE e::text LIKE '%0178 555%' OR (seq = $1 AND (salt <> '' OR content_hash <> ''))",
      [secret.body.seq],
    );
    expect(stored.rowCount).toBe(0);
  });

  test('is gone from the mirror on the bus', async () => {
    // Nothing follows it on its subject: the newest message there is the one to go.
    const subject = 'AxonChat.mirrored';
    const newest = () => bus.streams.lastBySubject(boardsStream.name, boardSubject('events', subject));
    const mirrored = async () => Buffer.from((await newest())?.data ?? []).toString();
    const secret = await say(site.url, ana, 'mirrored secret', { subject });
    await eventually(async () => expect(await mirrored()).toContain('mirrored secret'));
    const sequence = (await newest())!.streamSequence!;
    expect((await remove(secret.body.cursor)).status).toBe(204);
    // Readers are told of it on the same subject, so that something may be there again.
    const isCleared = 'SELECT 1 FROM chat.removal WHERE seq = $1 AND is_mirror_cleared';
    await eventually(async () => expect((await database.query(isCleared, [secret.body.seq])).rowCount).toBe(1));
    expect(await bus.streams.deleteMessage(boardsStream.name, sequence)).toBe(false);
    expect(await mirrored()).not.toContain('mirrored secret');
  });

  test('stays removed for a gateway that starts afterwards, and the audit log stays whole', async () => {
    const secret = await say(site.url, ana, 'a second secret');
    expect((await remove(secret.body.cursor)).status).toBe(204);
    await site.auditHas('events', secret.body.seq);
    const service = site.site.services['gateway-2']!;
    await service.stop();
    await service.start();
    await site.isWellAgain();
    const text = await replayed(service.publicUrl!, `${secret.body.cursor.split('-')[0]}-0`);
    expect(text).not.toContain('a second secret');
    expect(text).toContain('"before"');
  });

  test('is removed once, and a repeat of its id with whatever content is refused', async () => {
    const id = 'removed-for-good';
    const json = { id, subject: 'AxonChat.lobby', type: 'chat.message.posted', data: { text: 'third secret' } };
    const posted = await call<{ cursor: string }>(`${site.url}/v1/boards/events/events`, { token: ana.token, json });
    expect((await remove(posted.body.cursor)).status).toBe(204);
    expect((await remove(posted.body.cursor)).status).toBe(204);
    expect((await call(`${site.url}/v1/boards/events/events`, { token: ana.token, json })).status).toBe(409);
  });

  test('is removed by its author, readers are told so on its subject, and nobody else may tell them', async () => {
    const reader = new StreamRecorder(`${site.url}/v1/boards/events/stream?subject=AxonChat.own`, {
      token: admin.token,
    });
    recorders.push(reader);
    const { body } = await say(site.url, ana, 'what was I thinking', { subject: 'AxonChat.own' });
    expect((await remove(body.cursor, ana.token)).status).toBe(204);
    await reader.until((it) => it.events.length === 2);
    const told = JSON.parse(reader.events[1]!.data!) as StoredEvent;
    const source = `/users/${ana.id}`;
    expect(told).toMatchObject({ type: redactedType, subject: 'AxonChat.own', author: ana.id, class: 'log' });
    expect(told.data).toEqual({ origin: told.origin, source, id: body.id });
    // It can't be taken back, once more changes nothing, and nobody makes one up.
    expect((await remove(reader.events[1]!.id!)).status).toBe(403);
    expect((await remove(body.cursor, ana.token)).status).toBe(204);
    const json = { subject: 'AxonChat.own', type: redactedType, data: told.data };
    const forged = await call(`${site.url}/v1/boards/events/events`, { token: admin.token, json });
    expect(forged.status).toBe(403);
    expect(reader.events.length).toBe(2);
  });

  test('has to exist, and be named by a cursor of the present', async () => {
    const { body } = await say(site.url, ana, 'an event that stays');
    const epoch = body.cursor.split('-')[0]!;
    expect((await remove(`${epoch}-999999`)).status).toBe(404);
    expect((await remove(`zzzzzzzz-${body.seq}`)).status).toBe(400);
    expect((await remove('not-a-cursor')).status).toBe(400);
    const { token } = await signInAsGuest(site.url, 'bea');
    expect((await remove(body.cursor, token)).status).toBe(403);
  });
});

describe('a ban', () => {
  test('holds on every gateway until it is lifted, and is shown to administrators alone', async () => {
    const url = `${site.url}/v1/boards/events`;
    const cea = await signInAsGuest(site.url, 'cea');
    const ban = (banned: string[]) => call(url, { method: 'PATCH', token: admin.token, json: { banned } });
    const shown = async ({ token }: Person) => (await call<{ banned?: string[] }>(url, { token })).body.banned;
    expect(await ban([cea.id])).toMatchObject({ status: 200, body: { banned: [cea.id] } });
    for (const gateway of gateways()) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await say(gateway, cea, 'may I')).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    }
    expect(await shown(admin)).toEqual([cea.id]);
    expect(await shown(ana)).toBeUndefined();
    const list = await call<{ boards: object[] }>(`${site.url}/v1/boards`, { token: ana.token });
    expect(list.body.boards.filter((board) => 'banned' in board)).toEqual([]);
    expect((await ban([])).status).toBe(200);
    expect((await say(site.url, cea, 'I may')).status).toBe(201);
  });
});
