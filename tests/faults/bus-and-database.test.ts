import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, type Person } from '../support/person.ts';
import { faultsOf, StreamRecorder } from '../support/stream-recorder.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';
import { SteadyLoad } from '../support/steady-load.ts';

const isLong = process.env['BOARDWIRE_TEST_TIER'] === 'long';

let site: TestSite;
let admin: Person;
let boards = 0;

beforeAll(async () => {
  site = await startTestSite();
  admin = await site.admin();
}, 90_000);
afterAll(async () => {
  await site?.stop();
}, 30_000);

async function underLoad(break_: () => Promise<void>) {
  boards += 1;
  const board = `fault-${boards}`;
  expect(
    (await call(`${site.url}/v1/boards`, { token: admin.token, json: { slug: board, title: board } })).status,
  ).toBe(201);
  const followers = Array.from(
    { length: 4 },
    () =>
      new StreamRecorder(`${site.url}/v1/boards/${board}/stream?after=start`, { token: admin.token, returns: true }),
  );
  const load = new SteadyLoad(site.url, admin, board);
  await load.accepted(50);
  await break_();
  const before = load.seqs.length;
  await load.accepted(before + 50);
  await load.stop();
  const total = Math.max(...load.seqs);
  try {
    for (const follower of followers) {
      await follower.until((it) => it.seqs.at(-1) === total, 20_000, `event ${total}`);
      expect(faultsOf(follower.seqs, 1, total)).toEqual([]);
      expect(follower.named('reset')).toEqual([]);
    }
  } finally {
    for (const follower of followers) follower.close();
  }
  expect(new Set(load.seqs).size).toBe(load.seqs.length);
  await site.auditHas(board, total);
  return load;
}

describe('under steady load', () => {
  test('NATS killed: every post is accepted, followers are complete', async () => {
    const load = await underLoad(async () => {
      await site.infrastructure.nats.kill();
      await sleep(isLong ? 10_000 : 4_000);
      await site.infrastructure.nats.start();
    });
    expect(load.refusals).toEqual([]);
  }, 90_000);

  test('events still arrive within two seconds while NATS is down', async () => {
    await site.infrastructure.nats.kill();
    try {
      const stream = new StreamRecorder(`${site.url}/v1/boards/events/stream`, { token: admin.token });
      await stream.until((it) => it.named('caught_up').length === 1);
      const posted = await call<{ cursor: string }>(`${site.url}/v1/boards/events/events`, {
        token: admin.token,
        json: { subject: 'SystemAlert', type: 'alert', data: {} },
      });
      expect(posted.status).toBe(201);
      await stream.until((it) => it.events.some((block) => block.id === posted.body.cursor), 2_000);
      stream.close();
    } finally {
      await site.infrastructure.nats.start();
    }
  }, 60_000);

  test('the stream deleted: every post is accepted, followers are complete', async () => {
    const load = await underLoad(() => site.deleteStream());
    expect(load.refusals).toEqual([]);
  }, 90_000);

  test('Postgres restarted: posts fail with 503, then work, and no accepted event is missing', async () => {
    const load = await underLoad(async () => {
      await site.infrastructure.postgres.kill();
      await sleep(1_500);
      await site.infrastructure.postgres.start();
    });
    expect(load.refusals.length).toBeGreaterThan(0);
    expect(new Set(load.refusals.map((refusal) => refusal.status))).toEqual(new Set([503]));
    for (const refusal of load.refusals) expect(refusal.type).toContain('application/problem+json');
  }, 90_000);
});
