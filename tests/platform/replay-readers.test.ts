import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, WsReader } from '@boardwire/test-kit';
import { connect, type Socket } from 'node:net';
import { call, type Person } from '../support/person.ts';
import { faultsOf, StreamRecorder } from '../support/stream-recorder.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

type Frame = Record<string, unknown> & { type: string };

const board = 'large';
/** 14 MB: more than the kernel holds for a client that doesn't read. */
const count = 240;
/** What each of eight subscriptions replays: sixteen pages, of which four fill the outbox that they share. */
const replayed = 64;

let site: TestSite;
let admin: Person;
const cursors: string[] = [];

beforeAll(async () => {
  // The ring holds next to nothing: replays are read from chat.
  site = await startTestSite({ env: { HEARTBEAT_MS: '500', RING_EVENTS_MAX: '8' } });
  admin = await site.admin();
  const created = await call(`${site.url}/v1/boards`, { token: admin.token, json: { slug: board, title: board } });
  expect(created.status).toBe(201);
  const data = { text: 'x'.repeat(60_000) };
  for (let at = 0; at < count; at += 16) {
    const batch = Array.from({ length: 16 }, (_, index) => ({
      specversion: '1.0',
      id: `large-${at + index}`,
      type: 'load',
      subject: 'load.large',
      data,
    }));
    const headers = { 'content-type': 'application/cloudevents-batch+json' };
    const url = `${site.url}/v1/boards/${board}/events`;
    const answer = await call<{ cursor: string }[]>(url, { token: admin.token, json: batch, headers });
    expect(answer.status).toBe(201);
    cursors.push(...answer.body.map(({ cursor }) => cursor));
  }
}, 90_000);
afterAll(async () => {
  await site?.stop();
}, 30_000);

const metric = async (name: string): Promise<number> => {
  const { text } = await call(`${site.internalUrl('gateway')}/metrics`);
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(name))
      ?.split(' ')
      .at(-1) ?? 0,
  );
};

describe('a client that never reads the replay it asked for', () => {
  test('costs no more than a page, is cut within three heartbeats, and misses nothing when it comes back', async () => {
    const { hostname, port } = new URL(site.url);
    const socket: Socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.pause();
    socket.write(
      `GET /v1/boards/${board}/stream?after=start HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${admin.token}\r\n\r\n`,
    );
    let most = 0;
    await eventually(
      async () => {
        most = Math.max(most, await metric('boardwire_outbox_bytes'));
        expect(await metric('boardwire_closes_total{transport="sse",code="slow"}')).toBe(1);
      },
      { timeoutMs: 10_000 },
    );
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(512 * 1024);
    socket.destroy();
    const back = new StreamRecorder(`${site.url}/v1/boards/${board}/stream?after=start`, { token: admin.token });
    await back.until((it) => it.named('caught_up').length === 1);
    expect(faultsOf(back.seqs, 1, count)).toEqual([]);
    back.close();
  }, 60_000);
});

const seqOf = (cursor: unknown) => Number(String(cursor).split('-')[1]);

/** Heartbeats whose cursor has passed an event that was still to come: who came back with it would miss that one. */
function beatsAhead(frames: readonly Frame[]): string[] {
  const reached = new Map<string, number>();
  return frames.flatMap((frame) => {
    if (frame.type === 'event' || frame.type === 'resumed') reached.set(frame['sub'] as string, seqOf(frame['cursor']));
    if (frame.type !== 'heartbeat') return [];
    return Object.entries(frame['cursors'] as Record<string, string>)
      .filter(([sub, cursor]) => seqOf(cursor) > (reached.get(sub) ?? 0))
      .map(([sub, cursor]) => `${sub} beat with ${cursor} after ${reached.get(sub)}`);
  });
}

describe('a socket with many subscriptions that catch up at once', () => {
  test('is not taken for slow because they add up', async () => {
    const url = `${site.url.replace('http', 'ws')}/v1/ws`;
    const reader = await WsReader.open<Frame>(url, { protocols: ['boardwire.v1'] });
    reader.send({ type: 'auth', token: admin.token });
    const names = Array.from({ length: 8 }, (_, at) => `s${at}`);
    const from = count - replayed;
    for (const sub of names) reader.send({ type: 'subscribe', sub, board, subjects: ['>'], after: cursors[from - 1] });
    // It reads nothing for a moment, as a busy page: until the kernels hold all they can, and each one's page has come.
    reader.socket.pause();
    await eventually(async () => expect(await metric('boardwire_outbox_bytes')).toBeGreaterThan(0));
    await new Promise((resolve) => setTimeout(resolve, 200));
    reader.socket.resume();
    const caughtUp = () => reader.frames.filter(({ type }) => type === 'caught_up').length;
    // One that was cut is told apart from one that is late.
    await eventually(() => expect([reader.closed, caughtUp()]).toEqual([undefined, 8]), { timeoutMs: 30_000 });
    for (const sub of names) {
      const events = reader.frames.filter((frame) => frame.type === 'event' && frame['sub'] === sub);
      const seqs = events.map((frame) => seqOf(frame['cursor']));
      expect(faultsOf(seqs, from + 1, count)).toEqual([]);
    }
    expect(beatsAhead(reader.frames)).toEqual([]);
    reader.close();
  }, 60_000);
});
