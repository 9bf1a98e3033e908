import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '@boardwire/test-kit';
import pg from 'pg';
import { call, type Person } from '../support/person.ts';
import { StreamRecorder } from '../support/stream-recorder.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

const kept = 15;
const total = 20;

let site: TestSite;
let admin: Person;
let epoch: string;
const recorders: StreamRecorder[] = [];

const cursor = (seq: number) => `${epoch}-${seq}`;
const boardUrl = (slug: string) => `${site.url}/v1/boards/${slug}`;

/** A board of 20 events, of which the first 15 have outlived their retention. */
beforeAll(async () => {
  site = await startTestSite({ env: { RETENTION_EVERY_MS: '200', HEARTBEAT_MS: '300' } });
  admin = await site.admin();
  const json = { slug: 'brief', title: 'Brief', retention: { days: 1 } };
  const created = await call<{ epoch: string }>(`${site.url}/v1/boards`, { token: admin.token, json });
  epoch = created.body.epoch;
  for (let number = 1; number <= total; number += 1) await publish('brief', number);
  await site.auditHas('brief', total);
  const database = new pg.Client({ connectionString: site.infrastructure.postgres.url });
  await database.connect();
  await database.query(
    `UPDATE chat.event SET committed_at = now() - interval '2 days'
     WHERE board_id = (SELECT id FROM chat.board WHERE slug = 'brief') AND seq <= $1`,
    [kept],
  );
  await database.end();
  await eventually(async () => expect((await history('')).events).toHaveLength(total - kept), { timeoutMs: 20_000 });
}, 90_000);

afterAll(async () => {
  for (const recorder of recorders) recorder.close();
  await site?.stop();
}, 30_000);

async function publish(slug: string, number: number): Promise<void> {
  const json = { subject: 'notes', type: 'note', data: { number } };
  const { status } = await call(`${boardUrl(slug)}/events`, { token: admin.token, json });
  expect(status).toBe(201);
}

async function history(query: string): Promise<{ events: { cursor: string }[]; oldest: string }> {
  const { body } = await call<{ events: { cursor: string }[]; oldest: string }>(`${boardUrl('brief')}/events${query}`, {
    token: admin.token,
  });
  return body;
}

function follow(query = '', lastEventId?: string, slug = 'brief'): StreamRecorder {
  const from = lastEventId === undefined ? {} : { lastEventId };
  const recorder = new StreamRecorder(`${boardUrl(slug)}/stream${query}`, { token: admin.token, ...from });
  recorders.push(recorder);
  return recorder;
}

describe('a board whose old events have gone', () => {
  test('tells a cursor from before them reset pruned, and from where on everything is there', async () => {
    // Until the gateway has heard of it, its ring still has them.
    const stream = await eventually(async () => {
      const opened = follow('', cursor(kept - 3));
      await opened.until((it) => it.named('caught_up').length === 1);
      expect(opened.named('reset')).toHaveLength(1);
      return opened;
    });
    expect(JSON.parse(stream.named('reset')[0]!.data!)).toEqual({
      requested: cursor(kept - 3),
      reason: 'pruned',
      oldest: cursor(kept),
      head: cursor(total),
    });
    expect(stream.events).toEqual([]);
  });

  test('resumes the last cursor that misses nothing', async () => {
    const stream = follow('', cursor(kept));
    await stream.until((it) => it.named('caught_up').length === 1);
    expect(stream.named('resumed')).toHaveLength(1);
    expect(stream.events.map(({ id }) => id)).toEqual([16, 17, 18, 19, 20].map(cursor));
  });

  test('starts with what there is when asked for the start', async () => {
    const stream = follow('?after=start');
    await stream.until((it) => it.named('caught_up').length === 1);
    expect(JSON.parse(stream.named('resumed')[0]!.data!)).toMatchObject({ from: cursor(kept), replayed: 5 });
  });

  test('tells in history where it begins', async () => {
    const page = await history(`?after=${cursor(0)}`);
    expect(page.oldest).toBe(cursor(kept));
    expect(page.events.map((event) => event.cursor)).toEqual([16, 17, 18, 19, 20].map(cursor));
  });

  test('is whole in the audit log', async () => {
    await site.auditHas('brief', total);
  });
});

describe('a board that is deleted', () => {
  test('ends its streams, and is no board any more', async () => {
    await call(`${site.url}/v1/boards`, { token: admin.token, json: { slug: 'passing', title: 'Passing' } });
    await publish('passing', 1);
    const stream = follow('', undefined, 'passing');
    await stream.until((it) => it.named('caught_up').length === 1);
    expect((await call(boardUrl('passing'), { method: 'DELETE', token: admin.token })).status).toBe(204);
    await stream.until((it) => it.named('reconnect').length === 1);
    await eventually(async () => {
      for (const path of ['', '/stream', '/events', '/state', '/presence']) {
        expect((await call(`${boardUrl('passing')}${path}`, { token: admin.token })).status).toBe(404);
      }
    });
  });

  test('is deleted by administrators alone', async () => {
    const guest = await call<{ accessToken: string }>(`${site.url}/v1/auth/guest`, { json: { nickname: 'passer-by' } });
    const token = guest.body.accessToken;
    expect((await call(boardUrl('brief'), { method: 'DELETE', token })).status).toBe(403);
  });
});
