import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { call, say, signInAsGuest, type Person } from '../support/person.ts';
import { faultsOf, StreamRecorder } from '../support/stream-recorder.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

let site: TestSite;
let ana: Person;
const recorders: StreamRecorder[] = [];

beforeAll(async () => {
  site = await startTestSite({ env: { HEARTBEAT_MS: '300' } });
  ana = await signInAsGuest(site.url, 'ana');
}, 60_000);
afterAll(async () => {
  for (const recorder of recorders) recorder.close();
  await site?.stop();
}, 30_000);

function follow(query = '', lastEventId?: string): StreamRecorder {
  const recorder = new StreamRecorder(`${site.url}/v1/boards/events/stream${query}`, {
    token: ana.token,
    ...(lastEventId === undefined ? {} : { lastEventId }),
  });
  recorders.push(recorder);
  return recorder;
}

describe('the event stream', () => {
  test('opens with retry, one resumed block with an id, then caught_up', async () => {
    const stream = follow();
    await stream.until((it) => it.named('caught_up').length === 1);
    expect(stream.blocks[0]!.retry).toMatch(/^\d+$/);
    const opening = stream.named('resumed');
    expect(opening).toHaveLength(1);
    const head = opening[0]!.id!;
    expect(JSON.parse(opening[0]!.data!)).toEqual({ from: head, head, replayed: 0, epoch: head.split('-')[0] });
    expect(stream.named('caught_up')[0]!.id).toBe(head);
  });

  test('brings a posted event at once, as the bytes that history shows', async () => {
    const stream = follow();
    await stream.until((it) => it.named('caught_up').length === 1);
    const posted = await say(site.url, ana, 'ciao «mondo» 👋 \u2028 end');
    expect(posted.status).toBe(201);
    await stream.until((it) => it.events.length === 1);
    const [block] = stream.events;
    expect(block!.id).toBe(posted.body.cursor);
    const history = await call(`${site.url}/v1/boards/events/events?limit=1`, { token: ana.token });
    expect(history.text).toContain(block!.data!.slice(1));
  });

  test('gives exactly the missed events after Last-Event-ID', async () => {
    const first = await say(site.url, ana, 'seen');
    const missed = [];
    for (let at = 0; at < 5; at += 1) missed.push((await say(site.url, ana, `missed ${at}`)).body.cursor);
    const stream = follow('?subject=AxonChat.%3E', first.body.cursor);
    await stream.until((it) => it.named('caught_up').length === 1);
    expect(stream.events.map((block) => block.id)).toEqual(missed);
    expect(JSON.parse(stream.named('resumed')[0]!.data!)).toMatchObject({ from: first.body.cursor, replayed: 5 });
  });

  test.each([
    ['an old epoch', 'aaaaaaaa-1', 'epoch'],
    ['a cursor above the head', undefined, 'unknown'],
    ['something that is no cursor', 'what-ever', 'unknown'],
  ])('answers %s with one reset that names the head, then goes live', async (_what, cursor, reason) => {
    const head = (await say(site.url, ana, 'before reset')).body.cursor;
    const [epoch, seq] = head.split('-');
    const requested = cursor ?? `${epoch}-${Number(seq) + 1_000_000}`;
    const stream = follow('', requested);
    await stream.until((it) => it.named('reset').length === 1);
    expect(JSON.parse(stream.named('reset')[0]!.data!)).toMatchObject({ requested, reason, head });
    expect(stream.named('reset')[0]!.id).toBe(head);
    expect(stream.named('resumed')).toHaveLength(0);
    const after = await say(site.url, ana, 'after reset');
    await stream.until((it) => it.events.some((block) => block.id === after.body.cursor));
    expect(stream.events).toHaveLength(1);
  });

  test('keeps the cursor of a quiet subject fresh with blocks of an id alone', async () => {
    const stream = follow('?subject=GameScore.quiet');
    await stream.until((it) => it.named('caught_up').length === 1);
    const other = await say(site.url, ana, 'elsewhere');
    const isBeat = (block: { id?: string; event?: string; data?: string }) =>
      block.id !== undefined && block.event === undefined && block.data === undefined;
    await stream.until((it) => it.blocks.some((block) => isBeat(block) && block.id === other.body.cursor), 5_000);
    expect(stream.events).toHaveLength(0);
  });

  test('shows the newest N of the filter, not the filter of the newest N', async () => {
    const scores = [];
    for (let at = 0; at < 3; at += 1) {
      scores.push(
        (
          await call<{ cursor: string }>(`${site.url}/v1/boards/events/events`, {
            token: ana.token,
            json: { subject: 'GameScore.pong', type: 'game.score', data: { at } },
          })
        ).body.cursor,
      );
      await say(site.url, ana, `noise ${at}`);
    }
    const stream = follow('?subject=GameScore.%3E&last=2');
    await stream.until((it) => it.named('caught_up').length === 1);
    expect(stream.events.map((block) => block.id)).toEqual(scores.slice(1));
  });

  test('names events by type only when asked, and nobody can imitate a name of ours', async () => {
    const stream = follow('?named=1');
    await stream.until((it) => it.named('caught_up').length === 1);
    await say(site.url, ana, 'named');
    await say(site.url, ana, 'imitation', { type: 'revoked' });
    await stream.until((it) => it.named('app.revoked').length === 1);
    expect(stream.named('chat.message.posted')).toHaveLength(1);
    expect(stream.named('revoked')).toHaveLength(0);
  });

  test('ends with revoked within a second of logout, and the token is refused from then on', async () => {
    const eve = await signInAsGuest(site.url, 'eve');
    const stream = new StreamRecorder(`${site.url}/v1/boards/events/stream`, { token: eve.token });
    recorders.push(stream);
    await stream.until((it) => it.named('caught_up').length === 1);
    const began = performance.now();
    expect(
      (await call(`${site.url}/v1/auth/logout`, { method: 'POST', token: eve.token, json: {} })).status,
    ).toBeLessThan(300);
    await stream.until((it) => it.named('revoked').length === 1, 3_000);
    expect(performance.now() - began).toBeLessThan(1_500);
    expect((await say(site.url, eve, 'ghost')).status).toBe(401);
  });
});

describe('twenty followers and eight publishers', () => {
  const total = 10_000;
  test(`${total} events have seq 1…${total} without a hole, and followers who join at random have all of them in order`, async () => {
    const admin = await site.admin();
    const made = await call(`${site.url}/v1/boards`, { token: admin.token, json: { slug: 'crowd', title: 'Crowd' } });
    expect(made.status).toBe(201);
    const followers: StreamRecorder[] = [];
    const join = () => {
      const recorder = new StreamRecorder(`${site.url}/v1/boards/crowd/stream?after=start`, { token: admin.token });
      recorders.push(recorder);
      followers.push(recorder);
    };
    const random = site.random();
    const joinAfter = Array.from({ length: 20 }, () => Math.floor(random() * total * 0.9)).sort((a, b) => a - b);
    let accepted = 0;
    const seqs: number[] = [];
    const publisher = async (number: number) => {
      for (let at = 0; at < total / 8; at += 25) {
        const events = Array.from({ length: 25 }, (_, index) => ({
          specversion: '1.0',
          id: `p${number}-${at + index}`,
          source: `/users/${admin.id}`,
          type: 'load.tick',
          subject: `load.p${number}`,
          data: { at: at + index },
        }));
        const answer = await call<{ seq: number; status: number }[]>(`${site.url}/v1/boards/crowd/events`, {
          token: admin.token,
          body: JSON.stringify(events),
          headers: { 'content-type': 'application/cloudevents-batch+json' },
        });
        for (const outcome of answer.body) {
          expect(outcome.status).toBe(201);
          seqs.push(outcome.seq);
        }
        accepted += 25;
        while (joinAfter.length > 0 && joinAfter[0]! <= accepted) {
          joinAfter.shift();
          join();
        }
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, number) => publisher(number)));
    expect(
      faultsOf(
        seqs.sort((a, b) => a - b),
        1,
        total,
      ),
    ).toEqual([]);
    expect(followers).toHaveLength(20);
    for (const follower of followers) {
      await follower.until((it) => it.seqs.at(-1) === total, 30_000);
      expect(faultsOf(follower.seqs, 1, total)).toEqual([]);
    }
  }, 120_000);
});
