import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { limits, type Stalled } from '@boardwire/contracts';
import { eventually, WsReader } from '@boardwire/test-kit';
import { call, say, type Person } from '../support/person.ts';
import { StreamRecorder } from '../support/stream-recorder.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

type Frame = Record<string, unknown> & { type: string };

let site: TestSite;
let admin: Person;
let stream: StreamRecorder;
let socket: WsReader<Frame>;

beforeAll(async () => {
  site = await startTestSite({ mode: 'processes', env: { LOG_LEVEL: 'warn' } });
  admin = await site.admin();
  await onTheBus();
  [stream, socket] = await Promise.all([openStream(), openSocket()]);
  await stream.until((it) => it.named('caught_up').length === 1);
}, 90_000);
afterAll(async () => {
  stream?.close();
  socket?.close();
  await site?.stop();
}, 30_000);

/** A gateway is ready without the bus; its watch, which looks every half second, has to have seen it there. */
async function onTheBus(): Promise<void> {
  let since = Number.POSITIVE_INFINITY;
  const look = async () => {
    const { text } = await call(`${site.internalUrl('gateway')}/metrics`);
    const isThere = /^boardwire_intake_attached 1$/m.test(text);
    since = isThere ? Math.min(since, performance.now()) : Number.POSITIVE_INFINITY;
    expect(performance.now() - since).toBeGreaterThan(1_000);
  };
  await eventually(look, { timeoutMs: 20_000, everyMs: 50 });
}

const openStream = async () => new StreamRecorder(`${site.url}/v1/boards/events/stream`, { token: admin.token });

async function openSocket(): Promise<WsReader<Frame>> {
  const opened = await WsReader.open<Frame>(`${site.url.replace('http', 'ws')}/v1/ws`, {
    headers: { authorization: `Bearer ${admin.token}` },
    protocols: ['boardwire.v1'],
  });
  await opened.until((frame) => frame.type === 'welcome');
  return opened;
}

type Told = Stalled | 'live';
const onStream = () =>
  stream.blocks.flatMap<Told>(({ event, data }) => {
    if (event === 'live') return ['live'];
    return event === 'stalled' ? [JSON.parse(data!) as Stalled] : [];
  });
const onSocket = () =>
  socket.frames.flatMap<Told>(({ type, ...frame }) => {
    if (type === 'live') return ['live'];
    return type === 'stalled' ? [frame as unknown as Stalled] : [];
  });

/** What both were told since then, once both were told so much. */
async function told(before: number, count: number, timeoutMs: number): Promise<Told[]> {
  await eventually(() => expect([onStream(), onSocket()].map((all) => all.length - before)).toEqual([count, count]), {
    timeoutMs,
    everyMs: 20,
  });
  expect(onSocket()).toEqual(onStream());
  return onStream().slice(before);
}

/** A look every half second, and the kill itself takes a moment. */
const withinMs = limits.stalledAfterMs + 250;

describe('a stream and a socket', () => {
  test('are told within five seconds that the bus is lost, go on getting events, and are told that it is back', async () => {
    const before = onStream().length;
    const { nats } = site.infrastructure;
    const killedAt = Date.now();
    await nats.kill();
    try {
      const [stalled] = (await told(before, 1, withinMs)) as Stalled[];
      expect(stalled).toMatchObject({ reason: 'bus' });
      expect(Date.parse(stalled!.since)).toBeGreaterThanOrEqual(killedAt - 50);
      expect(Date.parse(stalled!.since)).toBeLessThan(killedAt + 2_500);
      const { body } = await say(site.url, admin, 'without a bus');
      await stream.until((it) => it.events.some(({ id }) => id === body.cursor), 2_000);
      const late = await openSocket();
      expect(await late.until((frame) => frame.type === 'stalled')).toMatchObject({ ...stalled });
      late.close();
    } finally {
      await nats.start();
    }
    expect((await told(before, 2, 15_000)).at(-1)).toBe('live');
  }, 60_000);

  test('are told within five seconds that the log is lost, the bus or not, and that it is back', async () => {
    const before = onStream().length;
    const chat = site.site.services['chat']!;
    const killedAt = Date.now();
    await chat.kill();
    try {
      const [stalled] = (await told(before, 1, withinMs)) as Stalled[];
      expect(stalled).toMatchObject({ reason: 'log' });
      expect(Date.parse(stalled!.since)).toBeGreaterThan(killedAt - limits.syncWaitMs - 250);
      expect(Date.parse(stalled!.since)).toBeLessThan(killedAt + 250);
    } finally {
      await chat.start();
    }
    expect((await told(before, 2, 15_000)).at(-1)).toBe('live');
    await site.isWellAgain();
    const { body } = await say(site.url, admin, 'with a log again');
    await stream.until((it) => it.events.some(({ id }) => id === body.cursor));
  }, 60_000);
});
