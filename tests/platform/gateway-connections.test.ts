import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { limits } from '@boardwire/contracts';
import { eventually, WsReader } from '@boardwire/test-kit';
import { connect, type Socket } from 'node:net';
import { call, say, signInAsGuest, type Person } from '../support/person.ts';
import { faultsOf, StreamRecorder } from '../support/stream-recorder.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

type Frame = Record<string, unknown> & { type: string };

let site: TestSite;
let admin: Person;
const recorders: StreamRecorder[] = [];
const sockets: (Socket | WsReader<Frame>)[] = [];
beforeAll(async () => {
  site = await startTestSite({ env: { HEARTBEAT_MS: '1000' } });
  admin = await site.admin();
}, 60_000);
afterAll(async () => {
  for (const recorder of recorders) recorder.close();
  for (const socket of sockets) if (socket instanceof WsReader) socket.close();
  await site?.stop();
}, 30_000);

function follow(person: Person, query = '', returns = false): StreamRecorder {
  const recorder = new StreamRecorder(`${site.url}/v1/boards/events/stream${query}`, { token: person.token, returns });
  recorders.push(recorder);
  return recorder;
}

async function openSocket(person: Person): Promise<WsReader<Frame>> {
  const socket = await WsReader.open<Frame>(`${site.url.replace('http', 'ws')}/v1/ws`, { protocols: ['boardwire.v1'] });
  sockets.push(socket);
  // In one packet, as a client in a hurry sends them.
  socket.send({ type: 'auth', token: person.token });
  socket.send({ type: 'subscribe', sub: 's', board: 'events', subjects: ['>'] });
  return socket;
}

describe('a client that stops reading', () => {
  test('is cut and told why, holds up nobody, and comes back without a gap', async () => {
    const quick = follow(admin);
    await quick.until((it) => it.named('caught_up').length === 1);
    const from = quick.lastEventId!;
    const slow = stalledClient(`/v1/boards/events/stream?after=${from}`, admin.token);
    sockets.push(slow.socket);
    await eventually(() => expect(slow.bytes()).toBeGreaterThan(0));
    slow.socket.pause();
    const first = Number(from.split('-')[1]) + 1;
    const count = 240;
    const data = { text: 'x'.repeat(60_000) };
    for (let at = 0; at < count; at += 16) {
      const batch = Array.from({ length: 16 }, (_, index) => ({
        specversion: '1.0',
        id: `slow-${at + index}`,
        source: `/users/${admin.id}`,
        type: 'load',
        subject: 'load.slow',
        data,
      }));
      const answer = await call(`${site.url}/v1/boards/events/events`, {
        token: admin.token,
        json: batch,
        headers: { 'content-type': 'application/cloudevents-batch+json' },
      });
      expect(answer.status).toBe(201);
    }
    await quick.until((it) => it.seqs.length >= count);
    expect(faultsOf(quick.seqs, first, first + count - 1)).toEqual([]);
    await eventually(async () => {
      const metrics = (await call(`${site.internalUrl('gateway')}/metrics`)).text;
      expect(metrics).toMatch(/boardwire_closes_total\{transport="sse",code="slow"\} 1\n/);
    });
    slow.socket.resume();
    await slow.ended;
    const back = follow(admin, `?after=${slow.lastCursor() ?? from}`);
    await back.until((it) => it.named('caught_up').length === 1);
    const [, reached] = (slow.lastCursor() ?? from).split('-');
    expect(faultsOf(back.seqs, Number(reached) + 1, first + count - 1)).toEqual([]);
  }, 60_000);
});

describe('too many connections of one user', () => {
  test('are refused in the stream, so that a browser comes back, and on the socket by its code', async () => {
    const eve = await signInAsGuest(site.url, 'eve');
    const open = Array.from({ length: limits.connectionsPerUserMax }, () => follow(eve));
    for (const stream of open) await stream.until((it) => it.named('caught_up').length === 1);
    const refused = follow(eve);
    await refused.until((it) => it.named('reconnect').length === 1);
    expect(refused.status).toBe(200);
    expect(refused.blocks[0]!.retry).toMatch(/^\d+$/);
    expect(JSON.parse(refused.named('reconnect')[0]!.data!)).toMatchObject({ reason: 'rate' });
    const socket = await openSocket(eve);
    expect((await socket.ended()).code).toBe(4009);
    open[0]!.close();
    await eventually(async () => {
      const next = follow(eve);
      await next.until((it) => it.blocks.length >= 2);
      expect(next.named('resumed')).toHaveLength(1);
    });
    const frames = await openSocket(admin);
    await frames.until((frame) => frame.type === 'caught_up');
    for (let at = 0; at <= limits.framesPerSocketBurst + 60; at += 1) frames.send({ type: 'ping' });
    expect((await frames.ended()).code).toBe(4009);
  }, 30_000);
});

describe('a connection that is old', () => {
  test('is sent elsewhere with a reason and a time, comes back with its cursor and misses nothing', async () => {
    const site = await startTestSite({ env: { HEARTBEAT_MS: '100', STREAM_MAX_AGE_MS: '1500' } });
    try {
      const admin = await site.admin();
      const stream = new StreamRecorder(`${site.url}/v1/boards/events/stream`, { token: admin.token, returns: true });
      recorders.push(stream);
      await stream.until((it) => it.named('caught_up').length === 1);
      const openedAt = performance.now();
      const socket = await WsReader.open<Frame>(`${site.url.replace('http', 'ws')}/v1/ws`);
      sockets.push(socket);
      socket.send({ type: 'auth', token: admin.token });
      const first = (await say(site.url, admin, 'before')).body.seq;
      await socket.until((frame) => frame.type === 'reconnect');
      expect(performance.now() - openedAt).toBeGreaterThan(1_000);
      expect(socket.frames.at(-1)).toMatchObject({ reason: 'rotate', afterMs: expect.any(Number) });
      expect((await socket.ended()).code).toBe(1012);
      await stream.until((it) => it.named('reconnect').length >= 1);
      expect(JSON.parse(stream.named('reconnect')[0]!.data!)).toMatchObject({ reason: 'rotate' });
      expect(Number(stream.named('reconnect')[0]!.retry)).toBeGreaterThan(0);
      const last = (await say(site.url, admin, 'after')).body.seq;
      await stream.until((it) => it.seqs.at(-1) === last);
      expect(faultsOf(stream.seqs, first, last)).toEqual([]);
    } finally {
      await site.stop();
    }
  }, 40_000);
});

describe('a drain', () => {
  test('sends everybody away with a reason and a time, and they lose nothing over the restart', async () => {
    const stream = follow(admin, '', true);
    const socket = await openSocket(admin);
    await Promise.all([
      stream.until((it) => it.named('caught_up').length === 1),
      socket.until((frame) => frame.type === 'caught_up'),
    ]);
    const before = await say(site.url, admin, 'before the drain');
    await stream.until((it) => it.seqs.at(-1) === before.body.seq);
    const gateway = site.site.services['gateway']!;
    await gateway.stop();
    const reconnect = stream.named('reconnect')[0]!;
    expect(JSON.parse(reconnect.data!)).toMatchObject({ reason: 'drain' });
    expect(Number(reconnect.retry)).toBeGreaterThan(0);
    expect((await socket.ended()).code).toBe(1012);
    expect(socket.frames.at(-1)).toMatchObject({ type: 'reconnect', reason: 'drain' });
    await gateway.start();
    await site.isWellAgain();
    const after = await say(site.url, admin, 'after the drain');
    await stream.until((it) => it.seqs.at(-1) === after.body.seq);
    expect(faultsOf(stream.seqs, before.body.seq, after.body.seq)).toEqual([]);
    expect(stream.named('reset')).toHaveLength(0);
  }, 30_000);
});

/** An event stream over a bare socket that can stop reading. */
function stalledClient(path: string, token: string) {
  const { hostname, port } = new URL(site.url);
  let text = '';
  const socket = connect(Number(port), hostname, () =>
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`),
  );
  socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')));
  socket.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const whole = () => [...text.matchAll(/id: (\w{8}-\d+)\ndata: [^\n]*\n\n/g)].map((match) => match[1]!);
  return { socket, ended, bytes: () => text.length, lastCursor: () => whole().at(-1) };
}
