import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SseReader, WsReader, type SseBlock } from '@boardwire/test-kit';
import { call, type Person } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

type Frame = Record<string, unknown> & { type: string };

const passing = process.env['BOARDWIRE_TEST_TIER'] === 'long' ? 50_000 : 5_000;
const board = 'busy';

let site: TestSite;
let admin: Person;

beforeAll(async () => {
  // The ring rolls over many times, and a replay of what passes by would be far too long.
  site = await startTestSite({ env: { HEARTBEAT_MS: '200', RING_EVENTS_MAX: '500', REPLAY_EVENTS_MAX: '100' } });
  admin = await site.admin();
  const { status } = await call(`${site.url}/v1/boards`, { token: admin.token, json: { slug: board, title: board } });
  expect(status).toBe(201);
}, 60_000);
afterAll(async () => {
  await site?.stop();
}, 30_000);

const streamUrl = () => `${site.url}/v1/boards/${board}/stream?subject=quiet.>`;
const seqOf = (cursor: string | undefined) => Number(cursor?.split('-')[1]);
const isOpening = ({ event }: SseBlock) => event === 'resumed' || event === 'reset';

let seqs = 0;

async function publish(subject: string, count: number): Promise<number> {
  let last = 0;
  for (let from = 0; from < count; from += 250) {
    const published = seqs;
    seqs += 250;
    const events = Array.from({ length: Math.min(250, count - from) }, (_, at) => ({
      specversion: '1.0',
      id: `${subject}-${published + at}`,
      type: 'note',
      subject,
      data: { at },
    }));
    const headers = { 'content-type': 'application/cloudevents-batch+json' };
    // oxlint-disable-next-line no-await-in-loop -- in order
    const answer = await call<{ seq: number }[]>(`${site.url}/v1/boards/${board}/events`, {
      token: admin.token,
      json: events,
      headers,
    });
    expect(answer.status).toBe(201);
    last = answer.body.at(-1)!.seq;
  }
  return last;
}

async function socketOf(after: string): Promise<WsReader<Frame>> {
  const socket = await WsReader.open<Frame>(`${site.url.replace('http', 'ws')}/v1/ws`, { protocols: ['boardwire.v1'] });
  socket.send({ type: 'auth', token: admin.token });
  socket.send({ type: 'subscribe', sub: 's', board, subjects: ['quiet.>'], after });
  await socket.until(({ type }) => type === 'resumed' || type === 'reset');
  return socket;
}

describe(`whoever reads a quiet subject while ${passing} events pass on others`, () => {
  test('holds a fresh cursor, comes back with nothing to replay, and gets the next event once', async () => {
    await publish('quiet.one', 1);
    const stream = await SseReader.open(streamUrl(), { token: admin.token });
    const opening = await stream.until(isOpening);
    const socket = await socketOf(opening.id!);
    const last = await publish('busy.one', passing);
    const beat = await stream.until(({ id, data }) => data === undefined && seqOf(id) === last, { timeoutMs: 20_000 });
    const frame = await socket.until(
      ({ type, cursors }) => type === 'heartbeat' && seqOf((cursors as { s?: string }).s) === last,
    );
    expect((frame['cursors'] as { s: string }).s).toBe(beat.id);
    stream.close();
    socket.close();
    expect(stream.blocks.filter(({ data, event }) => data !== undefined && event === undefined)).toEqual([]);

    // The fresh cursor, and the one from before all that: nothing of what passed by counts.
    const cursors = [beat.id!, opening.id!];
    const streams = await Promise.all(
      cursors.map((lastEventId) => SseReader.open(streamUrl(), { token: admin.token, lastEventId })),
    );
    const sockets = await Promise.all(cursors.map((cursor) => socketOf(cursor)));
    for (const [at, cursor] of cursors.entries()) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const told = await streams[at]!.until(isOpening);
      expect(told).toMatchObject({ event: 'resumed', id: cursor });
      expect(JSON.parse(told.data!)).toMatchObject({ replayed: 0, from: cursor });
      const resumed = sockets[at]!.frames.find(({ type }) => type === 'resumed');
      expect(resumed).toMatchObject({ replayed: 0, from: cursor });
    }
    const seq = await publish('quiet.one', 1);
    for (const back of streams) {
      // oxlint-disable-next-line no-await-in-loop
      const event = await back.until(({ data, event: name }) => data !== undefined && name === undefined);
      expect(seqOf(event.id)).toBe(seq);
      back.close();
    }
    for (const back of sockets) {
      // oxlint-disable-next-line no-await-in-loop
      expect(seqOf(String((await back.until(({ type }) => type === 'event'))['cursor']))).toBe(seq);
      back.close();
    }
  }, 300_000);
});
