import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { boardSubject, busHeaders, limits } from '@boardwire/contracts';
import { connectBus } from '@boardwire/messaging';
import { eventually, WsReader } from '@boardwire/test-kit';
import pg from 'pg';
import { call, signInAsGuest, type Person } from '../support/person.ts';
import { labelsOf, readSeriesTables, valueOf, type Series } from '../support/series-table.ts';
import { StallingStream } from '../support/stalling-stream.ts';
import { StreamRecorder } from '../support/stream-recorder.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

type Frame = Record<string, unknown> & { type: string };

const { moving, existing } = readSeriesTables();
/** Too short for a scrape to meet; the follower's own suite holds it up. */
const seenElsewhere = new Set([
  'boardwire_queue_depth{queue="intake"}: libs/follower/test/queue-metrics.test.ts',
  'boardwire_consumer_pending{consumer}: libs/follower/test/queue-metrics.test.ts',
]);
const moved = new Set([...seenElsewhere].map((one) => one.replace(/: .*$/, '')));

let site: TestSite;
let admin: Person;
let boards = 0;
const streams: { close(): void }[] = [];

beforeAll(async () => {
  // A ring that rolls over, and outboxes that are filled and not cut.
  site = await startTestSite({ env: { RING_EVENTS_MAX: '16', OUTBOX_BYTES_MAX: String(64 * 1024 * 1024) } });
  admin = await site.admin();
}, 60_000);
afterAll(async () => {
  for (const stream of streams) stream.close();
  await site?.stop();
}, 30_000);

const scrape = async (service: string) => (await call(`${site.internalUrl(service)}/metrics`)).text;

async function scrapes(): Promise<Record<string, string>> {
  const services = ['gateway', 'chat', 'federation', 'audit'];
  return Object.fromEntries(await Promise.all(services.map(async (name) => [name, await scrape(name)] as const)));
}

/** These series rise while that happens: what was counted before it, and at some time in it or behind it. */
async function moves(names: readonly string[], what: (check: () => Promise<void>) => Promise<void>): Promise<void> {
  const rows = names.map((name) => rowOf(name));
  const before = await scrapes();
  const still = new Set(rows);
  const look = async () => {
    const now = await scrapes();
    for (const row of still) {
      if ((valueOf(now[row.service]!, row) ?? 0) > (valueOf(before[row.service]!, row) ?? 0)) still.delete(row);
    }
  };
  const risen = (of: string[]) =>
    eventually(
      async () => {
        await look();
        expect([...still].map(({ written }) => written).filter((name) => of.includes(name))).toEqual([]);
      },
      { timeoutMs: 10_000, everyMs: 50 },
    );
  // Depths are to be seen while something waits, the rest at the latest when all is over.
  const isDepth = (name: string) => /depth|outbox_|backlog|lag|connections|subscriptions|users/.test(name);
  await what(() => risen(names.filter(isDepth)));
  await risen([...names]);
  for (const { written } of rows) moved.add(written);
}

function rowOf(name: string): Series {
  const row = moving.find(({ written }) => written === name);
  if (row === undefined) throw new Error(`${name} is in no row of docs/metrics.md`);
  return row;
}

const depth = (queue: string) => `boardwire_queue_depth{queue="${queue}"}`;
const wait = (queue: string) => `boardwire_queue_wait_seconds{queue="${queue}"}`;

async function newBoard(): Promise<string> {
  boards += 1;
  const slug = `metrics-${boards}`;
  const rules = [{ pattern: 'score.>', class: 'state' }];
  const created = await call(`${site.url}/v1/boards`, { token: admin.token, json: { slug, title: slug, rules } });
  expect(created.status).toBe(201);
  return slug;
}

function post(board: string, token = admin.token, subject = 'score.a') {
  const json = { subject, type: 'note', data: {} };
  return call<{ cursor: string }>(`${site.url}/v1/boards/${board}/events`, { token, json });
}

/** Many at once, of so many bytes each. */
async function postMany(board: string, count: number, bytes = 10): Promise<void> {
  const batch = Array.from({ length: count }, (_, at) => ({
    specversion: '1.0',
    id: `m${performance.now()}-${at}`,
    type: 'note',
    subject: `score.s${at % 3}`,
    data: 'x'.repeat(bytes),
  }));
  const init = {
    token: admin.token,
    body: JSON.stringify(batch),
    headers: { 'content-type': 'application/cloudevents-batch+json' },
  };
  // A disk that is slow for two seconds is answered by 503: whoever posts asks again, with the same ids.
  await eventually(async () => {
    const { status } = await call(`${site.url}/v1/boards/${board}/events`, init);
    expect([200, 201]).toContain(status);
  });
}

function follow(board: string, query = '', token = admin.token): StreamRecorder {
  const stream = new StreamRecorder(`${site.url}/v1/boards/${board}/stream?${query}`, { token });
  streams.push(stream);
  return stream;
}

const caughtUp = (stream: StreamRecorder) => stream.until((it) => it.named('caught_up').length === 1);

/** Nothing of a table of chat can be read or written until it is called. */
async function lock(table: string): Promise<() => Promise<void>> {
  const database = new pg.Client({ connectionString: site.infrastructure.postgres.url });
  await database.connect();
  await database.query(`BEGIN; LOCK TABLE chat.${table} IN ACCESS EXCLUSIVE MODE`);
  return () => database.end();
}

async function bus() {
  const { url, token } = site.infrastructure.nats;
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  return connectBus({ url, ...(token === undefined ? {} : { token }), name: 'forger', logger });
}

describe('a metric moves when what it measures happens:', () => {
  test('streams and sockets open, get an event, and end', async () => {
    const guest = await signInAsGuest(site.url, 'counted');
    const opened = [
      'boardwire_gateway_connections{transport="sse"}',
      'boardwire_gateway_connections{transport="ws"}',
      'boardwire_subscriptions',
      'boardwire_presence_users',
      'boardwire_resumes_total{outcome="fresh"}',
      'boardwire_replay_seconds',
    ];
    await moves([...opened, 'boardwire_closes_total{transport,code}'], async (check) => {
      const stream = follow('events', '', guest.token);
      await caughtUp(stream);
      const socket = await WsReader.open<Frame>(`${site.url.replace('http', 'ws')}/v1/ws`, {
        headers: { authorization: `Bearer ${guest.token}` },
        protocols: ['boardwire.v1'],
      });
      await check();
      const ofAnEvent = [
        'boardwire_publish_to_deliver_seconds',
        'boardwire_append_batch_size',
        'boardwire_append_seconds',
        wait('append'),
        wait('relay'),
        wait('intake'),
      ];
      await moves(ofAnEvent, async () => {
        await post('events', guest.token, 'AxonChat.lobby');
        await stream.until((it) => it.events.length === 1);
      });
      stream.close();
      socket.close();
    });
  });

  test('a stream comes back behind its cursor, and one with a cursor of another epoch', async () => {
    const board = await newBoard();
    const { body } = await post(board);
    await post(board);
    await moves(['boardwire_resumes_total{outcome="resumed"}', 'boardwire_cursor_age_events'], () =>
      caughtUp(follow(board, `after=${body.cursor}`)),
    );
    await moves(['boardwire_resumes_total{outcome="epoch"}'], () => caughtUp(follow(board, 'after=aaaaaaaa-7')));
  });

  test('many replays at once wait for their turn', async () => {
    const board = await newBoard();
    await postMany(board, 100);
    await moves([depth('replay'), wait('replay')], async (check) => {
      const unlock = await lock('event');
      const replays = Array.from({ length: limits.replaysPerUserMax + 4 }, () => follow(board, 'after=start'));
      try {
        await check();
      } finally {
        await unlock();
      }
      for (const replay of replays) await caughtUp(replay);
      for (const replay of replays) replay.close();
    });
  });

  test('clients stop reading, and go on', async () => {
    const board = await newBoard();
    const at = `${site.url}/v1/boards/${board}/stream?subject=score.*&overflow=`;
    const slow = await StallingStream.open(`${at}disconnect`, admin.token);
    const newest = await StallingStream.open(`${at}conflate`, admin.token);
    for (const stream of [slow, newest]) {
      streams.push(stream);
      await eventually(() => expect(stream.named('caught_up')).toHaveLength(1));
      stream.stall();
    }
    const outbox = ['boardwire_outbox_bytes', 'boardwire_outbox_events', depth('outbox')];
    await moves([...outbox, wait('outbox'), 'boardwire_conflated_total'], async (check) => {
      for (let sent = 0; sent < 24; sent += 1) await postMany(board, 14, 60_000);
      await check();
      slow.goOn();
      newest.goOn();
      await eventually(() => expect(slow.events).toHaveLength(24 * 14), { timeoutMs: 20_000 });
    });
    expect(slow.hasEnded).toBe(false);
  }, 60_000);

  test('tokens are refused, and who asks too often', async () => {
    await moves(['boardwire_auth_failures_total{reason}'], async () => {
      expect((await post('events', 'no.such.token')).status).toBe(401);
    });
    await moves(['boardwire_rate_limited_total{what}'], async () => {
      const guest = await signInAsGuest(site.url, 'eager');
      const batch = Array.from({ length: 200 }, (_, at) => ({
        specversion: '1.0',
        id: `eager-${at}`,
        type: 'note',
        subject: 'AxonChat.lobby',
      }));
      const statuses: number[] = [];
      for (let sent = 0; sent <= limits.publishPerUserBurst; sent += batch.length) {
        const headers = { 'content-type': 'application/cloudevents-batch+json' };
        const init = { token: guest.token, body: JSON.stringify(batch), headers };
        statuses.push((await call(`${site.url}/v1/boards/events/events`, init)).status);
      }
      expect(statuses.at(-1)).toBe(429);
    });
  }, 30_000);

  test('the bus is gone', async () => {
    const board = await newBoard();
    const stream = follow(board);
    await caughtUp(stream);
    const relay = ['boardwire_relay_backlog_events', 'boardwire_relay_lag_seconds', depth('relay')];
    await moves([...relay, 'boardwire_gap_fills_total', wait('hole_fill')], async (check) => {
      await site.infrastructure.nats.kill();
      try {
        await post(board);
        await stream.until((it) => it.events.length === 1);
        await check();
      } finally {
        await site.infrastructure.nats.start();
      }
    });
    await site.isWellAgain();
  }, 60_000);

  test('the bus brings what comes too early, and what was there', async () => {
    const board = await newBoard();
    const stream = follow(board);
    await caughtUp(stream);
    const { body } = await post(board);
    const [epoch, seq] = body.cursor.split('-') as [string, string];
    await stream.until((it) => it.events.length === 1);
    const forger = await bus();
    const forge = (at: number) =>
      forger.publish(boardSubject(board, 'score.a'), '{}', {
        [busHeaders.seq]: String(at),
        [busHeaders.epoch]: epoch,
        [busHeaders.type]: 'note',
        [busHeaders.class]: 'state',
      });
    try {
      await moves(['boardwire_duplicates_dropped_total'], async () => forge(Number(seq)));
      await moves([depth('hole_fill')], async (check) => {
        forge(Number(seq) + 3);
        await check();
      });
    } finally {
      await forger.close();
    }
  });

  test('the database is slow', async () => {
    const board = await newBoard();
    const posts: Promise<unknown>[] = [];
    await moves([depth('append')], async (check) => {
      const unlock = await lock('event');
      try {
        posts.push(post(board));
        await new Promise((resolve) => setTimeout(resolve, 100));
        for (let at = 0; at < 5; at += 1) posts.push(post(board));
        await check();
      } finally {
        await unlock();
      }
    });
    await Promise.all(posts);
  });

  test('and so does every series of the first table', () => {
    expect(moving.map(({ written }) => written).filter((name) => !moved.has(name))).toEqual([]);
  });
});

describe('docs/metrics.md', () => {
  test('has the series of the services, each once', () => {
    const all = [...moving, ...existing].map(({ written, service }) => `${written} ${service}`);
    expect(moving.length).toBeGreaterThan(30);
    expect(existing.length).toBeGreaterThan(20);
    expect(all.length).toBe(new Set(all).size);
  });

  test('names nothing that does not exist, and all labels that it names', async () => {
    const now = await scrapes();
    const missing = [...moving, ...existing].filter(({ name, service }) => !now[service]!.includes(`# TYPE ${name} `));
    expect(missing.map(({ written }) => written)).toEqual([]);
    const unlabelled = moving.filter((row) =>
      row.labels.some((label) => !labelsOf(now[row.service]!, rowOfCount(row)).has(label.split('=')[0]!)),
    );
    expect(unlabelled.map(({ written }) => written)).toEqual([]);
  });
});

/** Labels of a histogram stand at its count as well. */
function rowOfCount(row: Series): Series {
  return row.name.endsWith('_seconds') && row.labels.length > 0 ? { ...row, name: `${row.name}_count` } : row;
}
