import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { boardsStream, boardSubjects, type HistoryPage, type RangePage } from '@boardwire/contracts';
import { connectBus, type Bus } from '@boardwire/messaging';
import { eventually } from '@boardwire/test-kit';
import pg from 'pg';
import { ChatSite, event, type ChatReplica } from './chat-site.ts';

let site: ChatSite;
let chat: ChatReplica;
let database: pg.Client;
let bus: Bus;

const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
const scores = { pattern: 'GameScore.>', class: 'state' };

beforeAll(async () => {
  site = await ChatSite.start();
  chat = await site.replica({ RETENTION_EVERY_MS: '100' });
  database = new pg.Client({ connectionString: site.databaseUrl });
  await database.connect();
  const { NATS_URL: url, NATS_TOKEN: token } = site.infrastructure.env;
  bus = await connectBus({ url, token, name: 'test', logger });
}, 60_000);

afterAll(async () => {
  await bus?.close();
  await database?.end();
  await site?.stop();
}, 30_000);

async function board(slug: string, days: number | null = 1): Promise<{ id: number; epoch: string }> {
  const json = { slug, title: slug, retention: { days }, rules: [scores] };
  const { status, body } = await chat.call<{ id: number; epoch: string }>('POST', '/internal/v1/boards', { json });
  expect(status).toBe(201);
  return body;
}

async function grow(slug: string, count: number): Promise<void> {
  await chat.outcomes(
    slug,
    Array.from({ length: count }, () => event()),
  );
}

/** As if everything up to `seq` had been accepted so many days ago. */
async function age(boardId: number, seq: number, days: number): Promise<void> {
  const set = 'UPDATE event SET committed_at = now() - make_interval(days => $3) WHERE board_id = $1 AND seq <= $2';
  await database.query(set, [boardId, seq, days]);
}

async function note(slug: string, epoch: string, seq: number, callers = ['audit', 'federation']): Promise<void> {
  for (const caller of callers) {
    const json = { marks: [{ board: slug, epoch, seq }] };
    const { status } = await chat.call('PUT', '/internal/v1/follower-marks', { caller, json });
    expect(status).toBe(204);
  }
}

const oldestOf = async (slug: string): Promise<number | undefined> =>
  (await chat.sync()).boards.find((one) => one.slug === slug)?.oldest;

async function rows(boardId: number): Promise<number[]> {
  const result = await database.query<{ seq: string }>('SELECT seq FROM event WHERE board_id = $1 ORDER BY seq', [
    boardId,
  ]);
  return result.rows.map(({ seq }) => Number(seq));
}

const passes = (ms = 500) => new Promise((resolve) => setTimeout(resolve, ms));

async function relayed(slug: string, seq: number): Promise<void> {
  await eventually(async () => {
    expect((await chat.sync()).boards.find((one) => one.slug === slug)!.relayed).toBeGreaterThanOrEqual(seq);
  });
}

describe('a board that keeps its events for a day', () => {
  it('lets go of older ones once mirror, audit and federation have them, and says from where on it is whole', async () => {
    const { id, epoch } = await board('brief');
    await grow('brief', 10);
    await relayed('brief', 10);
    await age(id, 6, 2);
    await note('brief', epoch, 10);
    await eventually(async () => expect(await rows(id)).toEqual([7, 8, 9, 10]));
    expect(await oldestOf('brief')).toBe(7);
    const { body: range } = await chat.call<RangePage>('GET', '/internal/v1/boards/brief/range?from=1');
    expect([range.oldest, range.items.map(({ seq }) => seq)]).toEqual([7, [7, 8, 9, 10]]);
    const { body: page } = await chat.call<HistoryPage>('POST', '/internal/v1/boards/brief/history', {
      json: { subjects: ['>'], after: 0, limit: 50, countMax: 50 },
    });
    expect([page.oldest, page.count, page.items.map(({ seq }) => seq)]).toEqual([7, 4, [7, 8, 9, 10]]);
    await grow('brief', 1);
    expect(await rows(id)).toEqual([7, 8, 9, 10, 11]);
  });

  it('waits for a follower that is behind, or has not said anything of this epoch', async () => {
    const { id, epoch } = await board('awaited');
    await grow('awaited', 10);
    await relayed('awaited', 10);
    await age(id, 10, 2);
    await passes();
    expect(await rows(id)).toHaveLength(10);
    await note('awaited', epoch, 10, ['audit']);
    await note('awaited', epoch, 3, ['federation']);
    await eventually(async () => expect(await rows(id)).toEqual([4, 5, 6, 7, 8, 9, 10]));
    await note('awaited', 'zzzzzzzz', 10, ['federation']);
    await passes();
    expect(await rows(id)).toHaveLength(7);
    expect(await chat.metric('boardwire_retention_waiting_boards')).toBe(1);
    await note('awaited', epoch, 10, ['federation']);
    await eventually(async () => expect(await rows(id)).toEqual([]));
    expect(await oldestOf('awaited')).toBe(11);
    await eventually(async () => expect(await chat.metric('boardwire_retention_waiting_boards')).toBe(0));
  });

  it('waits no longer than a week: what readers were promised to be gone goes', async () => {
    const { id } = await board('overdue');
    await grow('overdue', 5);
    await relayed('overdue', 5);
    await age(id, 3, 9);
    await eventually(async () => expect(await rows(id)).toEqual([4, 5]));
  });

  it('keeps what a subject of class state is now, for the state alone', async () => {
    const { id, epoch } = await board('scored');
    const score = (value: number) => event({ subject: 'GameScore.ana', type: 'game.score', data: { value } });
    await chat.outcomes('scored', [score(1), event(), score(2), event(), event()]);
    await relayed('scored', 5);
    await age(id, 4, 2);
    await note('scored', epoch, 5);
    await eventually(async () => expect(await rows(id)).toEqual([3, 5]));
    const { body } = await chat.call<HistoryPage>('POST', '/internal/v1/boards/scored/state', {
      json: { subjects: ['>'] },
    });
    expect(body.items.map(({ seq }) => seq)).toEqual([3]);
    const { body: page } = await chat.call<HistoryPage>('POST', '/internal/v1/boards/scored/history', {
      json: { subjects: ['>'], limit: 50 },
    });
    expect(page.items.map(({ seq }) => seq)).toEqual([5]);
    await chat.outcomes('scored', [score(3)]);
    await eventually(async () => expect(await rows(id)).toEqual([5, 6]));
  });

  it('knows a repeat for as long as it keeps the event, and no longer', async () => {
    const { id, epoch } = await board('repeated');
    const once = event();
    await chat.outcomes('repeated', [once, event()]);
    expect((await chat.outcomes('repeated', [once]))[0]).toMatchObject({ outcome: 'repeated', seq: 1 });
    await relayed('repeated', 2);
    await age(id, 1, 2);
    await note('repeated', epoch, 2);
    await eventually(async () => expect(await rows(id)).toEqual([2]));
    expect((await chat.outcomes('repeated', [once]))[0]).toMatchObject({ outcome: 'created', seq: 3 });
  });
});

describe('a board that is deleted', () => {
  it('is gone at once, leaves nothing behind, and frees its slug for another log', async () => {
    const { id, epoch } = await board('passing', null);
    await grow('passing', 20);
    await relayed('passing', 20);
    await note('passing', epoch, 20);
    expect((await chat.call('DELETE', '/internal/v1/boards/passing')).status).toBe(204);
    expect((await chat.call('GET', '/internal/v1/boards/passing')).status).toBe(404);
    expect((await chat.append('passing', [event()])).status).toBe(404);
    expect((await chat.call('DELETE', '/internal/v1/boards/passing')).status).toBe(404);
    expect((await chat.sync()).boards.some(({ slug }) => slug === 'passing')).toBe(false);
    await eventually(
      async () => {
        expect(await rows(id)).toEqual([]);
        expect((await database.query('SELECT 1 FROM board WHERE id = $1', [id])).rowCount).toBe(0);
      },
      { timeoutMs: 15_000 },
    );
    expect(await bus.streams.lastBySubject(boardsStream.name, boardSubjects('passing'))).toBeUndefined();
    const again = await board('passing', null);
    expect(again.epoch).not.toBe(epoch);
    expect(await chat.outcomes('passing', [event()])).toMatchObject([{ outcome: 'created', seq: 1 }]);
    expect(site.decisions.map(({ action }) => action)).toContain('board.delete');
  }, 30_000);

  it('takes no event that was on its way', async () => {
    await board('racing', null);
    const appends = Array.from({ length: 40 }, () => chat.append('racing', [event()]));
    const removed = chat.call('DELETE', '/internal/v1/boards/racing');
    const statuses = (await Promise.all(appends)).map(({ status }) => status);
    expect((await removed).status).toBe(204);
    expect(new Set(statuses).size).toBeGreaterThan(0);
    expect(statuses.every((status) => status === 200 || status === 404)).toBe(true);
  });

  it('is not one that every site has', async () => {
    for (const slug of ['events', 'forum', 'site']) {
      expect((await chat.call('DELETE', `/internal/v1/boards/${slug}`)).status).toBe(409);
    }
  });
});
