import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, seededRandom, SseReader, WsReader, type SeededRandom } from '@boardwire/test-kit';
import { call, type Person } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

type Frame = Record<string, unknown> & { type: string };
interface Stored {
  seq: number;
  subject: string;
}

const board = 'matched';
const tokens = ['a', 'b', 'c', 'a-b', '%2E'];
const sockets: WsReader<Frame>[] = [];

let site: TestSite;
let admin: Person;
let random: SeededRandom;
let stored: Stored[];

beforeAll(async () => {
  site = await startTestSite();
  admin = await site.admin();
  random = seededRandom();
  const rules = [{ pattern: 'c.>', class: 'state', access: 'open' }];
  const json = { slug: board, title: board, rules };
  expect((await call(`${site.url}/v1/boards`, { token: admin.token, json })).status).toBe(201);
  stored = await publish(200);
}, 60_000);
afterAll(async () => {
  for (const socket of sockets) socket.terminate();
  await site?.stop();
}, 30_000);

const subject = () => Array.from({ length: random.integer(1, 5) }, () => random.pick(tokens)).join('.');

function filter(): string {
  const parts = Array.from({ length: random.integer(1, 5) }, () =>
    random.integer(0, 2) === 0 ? '*' : random.pick(tokens),
  );
  if (random.integer(0, 3) === 0) parts[parts.length - 1] = '>';
  return parts.join('.');
}

/** The rule itself, by other means than the gateway's: one token for `*`, one or more for a final `>`. */
function matches(filters: readonly string[], text: string): boolean {
  return filters.some((each) => {
    const parts = each.split('.').map((part) => (part === '*' ? '[^.]+' : part === '>' ? '.+' : part));
    return new RegExp(`^${parts.join('\\.')}$`).test(text);
  });
}

async function publish(count: number): Promise<Stored[]> {
  const subjects = Array.from({ length: count }, subject);
  const json = subjects.map((each, at) => ({
    specversion: '1.0',
    id: `${count}-${at}-${random.next()}`,
    type: 'note',
    subject: each,
  }));
  const headers = { 'content-type': 'application/cloudevents-batch+json' };
  const answer = await call<{ seq: number }[]>(`${site.url}/v1/boards/${board}/events`, {
    token: admin.token,
    json,
    headers,
  });
  expect(answer.status).toBe(201);
  return answer.body.map(({ seq }, at) => ({ seq, subject: subjects[at]! }));
}

const seqOf = (cursor: unknown) => Number(String(cursor).split('-')[1]);
const queryOf = (filters: readonly string[]) => filters.map((each) => `subject=${encodeURIComponent(each)}`).join('&');

async function page(path: string, filters: readonly string[]): Promise<number[]> {
  const url = `${site.url}/v1/boards/${board}/${path}${queryOf(filters)}`;
  const { status, body } = await call<{ events: { cursor: string }[] }>(url, { token: admin.token });
  expect(status).toBe(200);
  return body.events.map(({ cursor }) => seqOf(cursor));
}

async function socket(): Promise<WsReader<Frame>> {
  const opened = await WsReader.open<Frame>(`${site.url.replace('http', 'ws')}/v1/ws`, { protocols: ['boardwire.v1'] });
  sockets.push(opened);
  opened.send({ type: 'auth', token: admin.token });
  return opened;
}

const told = ({ frames }: WsReader<Frame>, sub: string) =>
  frames.filter((frame) => frame.type === 'event' && frame['sub'] === sub).map((frame) => seqOf(frame['cursor']));

describe('history, state, a replayed stream and a replayed subscription', () => {
  test('show what the filters match and nothing else', async () => {
    const opened = await socket();
    for (let round = 0; round < 40; round += 1) {
      const filters = Array.from({ length: random.integer(1, 4) }, filter);
      const expected = stored.filter((event) => matches(filters, event.subject));
      const seqs = expected.map(({ seq }) => seq);
      const newest = new Map(
        expected.filter((event) => matches(['c.>'], event.subject)).map((event) => [event.subject, event.seq]),
      );
      const sub = `r${round}`;
      opened.send({ type: 'subscribe', sub, board, subjects: filters, after: 'start' });
      // oxlint-disable-next-line no-await-in-loop -- one set of filters after the other
      const stream = await SseReader.open(`${site.url}/v1/boards/${board}/stream?after=start&${queryOf(filters)}`, {
        token: admin.token,
      });
      // oxlint-disable-next-line no-await-in-loop
      await Promise.all([
        stream.until(({ event }) => event === 'caught_up'),
        opened.until((frame) => frame.type === 'caught_up' && frame['sub'] === sub),
      ]);
      stream.close();
      const streamed = stream.blocks
        .filter(({ event, data }) => event === undefined && data !== undefined)
        .map(({ id }) => seqOf(id));
      // oxlint-disable-next-line no-await-in-loop
      const shown = {
        history: await page('events?limit=500&after=start&', filters),
        state: (await page('state?', filters)).toSorted((a, b) => a - b),
      };
      expect({ filters, ...shown, streamed, socket: told(opened, sub) }).toEqual({
        filters,
        history: seqs,
        state: [...newest.values()].toSorted((a, b) => a - b),
        streamed: seqs,
        socket: seqs,
      });
    }
  }, 60_000);
});

describe('a thousand filters on one board', () => {
  test('each get what they match, live, and nothing else', async () => {
    const subscriptions: { opened: WsReader<Frame>; sub: string; filters: string[] }[] = [];
    for (let count = 0; count < 8; count += 1) {
      // oxlint-disable-next-line no-await-in-loop -- below the rate of frames of each socket
      const opened = await socket();
      for (let at = 0; at < 125; at += 1) {
        const filters = [filter()];
        subscriptions.push({ opened, sub: `s${at}`, filters });
        opened.send({ type: 'subscribe', sub: `s${at}`, board, subjects: filters, overflow: 'disconnect' });
      }
    }
    const subscribed = (reader: WsReader<Frame>) => reader.frames.filter(({ type }) => type === 'caught_up').length;
    const readers = [...new Set(subscriptions.map(({ opened }) => opened))];
    await eventually(() => expect(readers.map(subscribed)).toEqual(readers.map(() => 125)), { timeoutMs: 20_000 });
    const live = await publish(100);
    const due = ({ filters }: { filters: string[] }) =>
      live.filter((event) => matches(filters, event.subject)).map(({ seq }) => seq);
    const expected = subscriptions.map(due);
    await eventually(
      () =>
        expect(subscriptions.map(({ opened, sub }) => told(opened, sub).length)).toEqual(
          expected.map(({ length }) => length),
        ),
      { timeoutMs: 20_000, everyMs: 200 },
    );
    expect(subscriptions.map(({ opened, sub }) => told(opened, sub))).toEqual(expected);
    expect(expected.flat().length).toBeGreaterThan(1_000);
  }, 60_000);
});
