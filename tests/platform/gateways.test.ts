import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, SseReader, WsReader, type SseBlock } from '@boardwire/test-kit';
import { call, say, signInAsGuest, type Person } from '../support/person.ts';
import { faultsOf, StreamRecorder } from '../support/stream-recorder.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

type Frame = Record<string, unknown> & { type: string };

let site: TestSite;
let admin: Person;
let here: string;
let there: string;
const open: { close(): void }[] = [];

beforeAll(async () => {
  site = await startTestSite({ gateways: 2 });
  admin = await site.admin();
  [here, there] = [site.gatewayUrl(1), site.gatewayUrl(2)];
}, 60_000);
afterAll(async () => {
  for (const reader of open) reader.close();
  await site?.stop();
}, 30_000);

const keep = <T extends { close(): void }>(reader: T): T => {
  open.push(reader);
  return reader;
};
const stream = async (url: string, query = '', token = admin.token) =>
  keep(await SseReader.open(`${url}/v1/boards/events/stream${query}`, { token }));
const isEvent = ({ event, data }: SseBlock) => event === undefined && data !== undefined;
const caughtUp = (reader: SseReader) => reader.until(({ event }) => event === 'caught_up');
const named = (reader: SseReader, name: string) => reader.blocks.filter(({ event }) => event === name);

async function socket(url: string, token: string): Promise<WsReader<Frame>> {
  const reader = keep(
    await WsReader.open<Frame>(`${url.replace('http', 'ws')}/v1/ws`, { protocols: ['boardwire.v1'] }),
  );
  reader.send({ type: 'auth', token });
  reader.send({ type: 'subscribe', sub: 's', board: 'events', subjects: ['>'] });
  await reader.until(({ type }) => type === 'caught_up');
  return reader;
}

describe('what was accepted by one gateway', () => {
  test('is once in the stream, and the last of the history, that the other one opens at once', async () => {
    for (let round = 0; round < 12; round += 1) {
      const [from, to] = round % 2 === 0 ? [here, there] : [there, here];
      const { body } = await say(from, admin, `round ${round}`);
      const [last, history] = await Promise.all([
        stream(to, '?last=1'),
        call<{ events: { cursor: string }[] }>(`${to}/v1/boards/events/events?limit=1`, { token: admin.token }),
      ]);
      // A few milliseconds behind, it has the event before it as its last, and this one follows.
      await last.until((block) => isEvent(block) && block.id === body.cursor, { timeoutMs: 1_000 });
      await caughtUp(last).catch(() => undefined);
      expect(last.blocks.filter(isEvent).filter(({ id }) => id === body.cursor)).toHaveLength(1);
      expect(history.body.events.map(({ cursor }) => cursor)).toEqual([body.cursor]);
      last.close();
    }
  }, 30_000);

  test('is a cursor from which the other one goes on, also while that one knows nothing of it yet', async () => {
    const { nats } = site.infrastructure;
    await nats.pause();
    try {
      const first = await say(here, admin, 'not heard of elsewhere');
      const resumed = await stream(there, `?after=${first.body.cursor}`);
      await caughtUp(resumed);
      const second = await say(here, admin, 'after it');
      const next = await resumed.until(isEvent, { timeoutMs: 10_000 });
      expect(next.id).toBe(second.body.cursor);
      expect(named(resumed, 'reset')).toEqual([]);
      expect(resumed.blocks.filter(isEvent)).toHaveLength(1);
    } finally {
      await nats.resume();
    }
  }, 30_000);

  test('holds as a cursor on either, forth and back, while both take posts', async () => {
    let cursor = (await say(here, admin, 'start of the walk')).body.cursor;
    const from = Number(cursor.split('-')[1]) + 1;
    const seen: number[] = [];
    for (let round = 0; round < 10; round += 1) {
      const posted = await Promise.all([say(here, admin, `here ${round}`), say(there, admin, `there ${round}`)]);
      const newest = Math.max(...posted.map(({ body }) => body.seq));
      const reader = await stream(round % 2 === 0 ? there : here, `?after=${cursor}`);
      await reader.until(({ id }) => id?.endsWith(`-${newest}`) === true);
      // The newest may have come before it as part of what was missed, or behind it, live.
      await eventually(() => expect(named(reader, 'caught_up')).toHaveLength(1));
      for (const block of reader.blocks.filter(isEvent)) {
        seen.push(Number(block.id!.split('-')[1]));
        cursor = block.id!;
      }
      reader.close();
    }
    expect(faultsOf(seen, from, from + 19)).toEqual([]);
  }, 30_000);

  test('is the same event when the other one gets it again', async () => {
    const event = { id: 'twice', subject: 'AxonChat.lobby', type: 'note', data: { same: true } };
    const post = (url: string) =>
      call<{ seq: number }>(`${url}/v1/boards/events/events`, { token: admin.token, json: event });
    const answers = await Promise.all([post(here), post(there), post(here), post(there)]);
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 200, 200, 201]);
    expect(new Set(answers.map(({ body }) => body.seq)).size).toBe(1);
  });
});

test('a cursor beyond the log is told by every gateway to be nobody’s', async () => {
  const { body } = await say(here, admin, 'the newest');
  const [epoch, seq] = body.cursor.split('-');
  for (const url of [here, there]) {
    const reader = await stream(url, `?after=${epoch}-${Number(seq) + 1_000_000}`);
    const opening = await reader.until(({ event }) => event === 'reset' || event === 'resumed');
    expect(JSON.parse(opening.data!)).toMatchObject({ reason: 'unknown' });
  }
});

test('the same order is seen on both while both are posted to', async () => {
  const recorders = [here, there].map((url) =>
    keep(new StreamRecorder(`${url}/v1/boards/events/stream`, { token: admin.token })),
  );
  for (const recorder of recorders) await recorder.until((it) => it.named('caught_up').length === 1);
  const posts = Array.from({ length: 100 }, (_, at) => say(at % 2 === 0 ? here : there, admin, `both ${at}`));
  const seqs = (await Promise.all(posts)).map(({ body }) => body.seq).sort((a, b) => a - b);
  for (const recorder of recorders) {
    await recorder.until((it) => it.seqs.at(-1) === seqs.at(-1));
    expect(recorder.seqs).toEqual(seqs);
  }
});

test('who signs out at one gateway is gone from the other within a second', async () => {
  for (let round = 0; round < 3; round += 1) {
    const eve = await signInAsGuest(here, `eve ${round}`);
    const [reader, frames] = [await stream(there, '', eve.token), await socket(there, eve.token)];
    await caughtUp(reader);
    const signedOut = await call(`${here}/v1/auth/logout`, { method: 'POST', token: eve.token, json: {} });
    const began = performance.now();
    expect(signedOut.status).toBeLessThan(300);
    const [, closed] = await Promise.all([reader.until(({ event }) => event === 'revoked'), frames.ended()]);
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(closed.code).toBe(4001);
    expect((await say(there, eve, 'ghost')).status).toBe(401);
  }
}, 30_000);
