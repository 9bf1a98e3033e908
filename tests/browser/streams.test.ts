import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '@boardwire/test-kit';
import type { Page } from 'playwright-core';
import { call, type Person } from '../support/person.ts';
import { seqOf } from '../support/real-client.ts';
import { SteadyLoad } from '../support/steady-load.ts';
import { faultsOf } from '../support/stream-recorder.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';
import { ConsoleBrowser } from './support/console-browser.ts';
import { findChromium } from './support/find-chromium.ts';

const chromium = findChromium();

/** What a page keeps of its own streams, read by the test. */
interface Seen {
  cursors: string[];
  /** Cursor each stream began from, as `resumed` told. */
  from: string[];
  resets: number;
  state: number;
}
type Streams = Record<string, Seen>;

(chromium === undefined ? describe.skip : describe)('a browser’s own EventSource and WebSocket', () => {
  let site: TestSite;
  let browser: ConsoleBrowser;
  let page: Page;
  let admin: Person;

  beforeAll(async () => {
    const env = { HEARTBEAT_MS: '1000' };
    site = await startTestSite({ mode: 'processes', gateways: 2, hasProxy: true, env });
    browser = await ConsoleBrowser.launch(chromium!, site.url);
    page = await browser.open('/');
    admin = await site.admin();
    const made = await call(`${site.url}/v1/boards`, { token: admin.token, json: { slug: 'native', title: 'Native' } });
    expect(made.status).toBe(201);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await site?.stop();
  }, 30_000);

  async function eventSource(name: string, subjects: string[]): Promise<void> {
    const wanted = { board: 'native', subjects };
    const { body } = await call<{ ticket: string }>(`${site.url}/v1/stream-tickets`, {
      token: admin.token,
      json: wanted,
    });
    const query = new URLSearchParams(subjects.map((subject) => ['subject', subject]));
    query.set('ticket', body.ticket);
    await page.evaluate(openEventSource, { name, url: `/v1/boards/native/stream?${query}` });
  }
  const seen = async (name: string): Promise<Seen> => {
    const { streams } = await page.evaluate(() => ({
      streams: (globalThis as unknown as { streams: Streams }).streams,
    }));
    return streams[name]!;
  };
  const isLive = (name: string) => eventually(async () => expect((await seen(name)).from).not.toEqual([]));

  test('come back by themselves when each gateway is killed, and miss and repeat nothing', async () => {
    const sources = ['source 1', 'source 2', 'source 3'];
    for (const name of sources) await eventSource(name, ['load.>']);
    await eventSource('quiet', ['nobody']);
    await page.evaluate(openSocket, { name: 'socket', token: admin.token, board: 'native', subject: 'load.>' });
    for (const name of [...sources, 'quiet', 'socket']) await isLive(name);
    const load = new SteadyLoad(site.url, admin, 'native');
    await load.accepted(30);
    const before = Math.max(...load.seqs);
    // Two heartbeats: the quiet one's cursor follows what it never sees.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    for (const name of ['gateway', 'gateway-2']) {
      await site.site.services[name]!.kill();
      await load.accepted(load.seqs.length + 60);
      await site.site.services[name]!.start();
      await load.accepted(load.seqs.length + 60);
    }
    await load.stop();
    const last = Math.max(...load.seqs);
    for (const name of [...sources, 'socket']) {
      await eventually(async () => expect(seqOf((await seen(name)).cursors.at(-1))).toBe(last), { timeoutMs: 20_000 });
      const { cursors, from, resets } = await seen(name);
      expect([name, faultsOf(cursors.map(seqOf), 1, last)]).toEqual([name, []]);
      expect(resets).toBe(0);
      expect(from.length).toBeGreaterThan(1);
    }
    const quiet = await seen('quiet');
    expect(quiet.cursors).toEqual([]);
    expect(seqOf(quiet.from[1])).toBeGreaterThanOrEqual(before);
  }, 120_000);

  test('are over for good when they are refused', async () => {
    const over = async (name: string, url: string) => {
      await page.evaluate(openEventSource, { name, url });
      await eventually(async () => expect((await seen(name)).state).toBe(2));
    };
    await over('no ticket', '/v1/boards/native/stream');
    await over('no such ticket', '/v1/boards/native/stream?ticket=none');
    await over('no such board', '/v1/boards/nowhere/stream?ticket=none');
  });
});

/** Runs in the page. */
function openEventSource({ name, url }: { name: string; url: string }): void {
  const page = globalThis as unknown as { streams?: Streams };
  const kept: Seen = { cursors: [], from: [], resets: 0, state: 0 };
  page.streams = { ...page.streams, [name]: kept };
  const source = new EventSource(url);
  source.onmessage = ({ lastEventId }) => void kept.cursors.push(lastEventId);
  source.addEventListener('resumed', ({ lastEventId }) => void kept.from.push(lastEventId));
  source.addEventListener('reset', () => void (kept.resets += 1));
  source.addEventListener('error', () => void (kept.state = source.readyState));
}

/** Runs in the page: the few lines that a socket's user writes. */
function openSocket(wanted: { name: string; token: string; board: string; subject: string }): void {
  const page = globalThis as unknown as { streams?: Streams };
  const kept: Seen = { cursors: [], from: [], resets: 0, state: 0 };
  page.streams = { ...page.streams, [wanted.name]: kept };
  let cursor: string | undefined;
  const connect = () => {
    const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/v1/ws`, 'boardwire.v1');
    socket.onopen = () => {
      const after = cursor === undefined ? {} : { after: cursor };
      socket.send(JSON.stringify({ type: 'auth', token: wanted.token }));
      const { board, subject } = wanted;
      socket.send(JSON.stringify({ type: 'subscribe', sub: 's', board, subjects: [subject], ...after }));
    };
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data as string) as { type: string; cursor?: string };
      cursor = frame.cursor ?? cursor;
      if (frame.type === 'event') kept.cursors.push(frame.cursor!);
      if (frame.type === 'resumed') kept.from.push(frame.cursor!);
      if (frame.type === 'reset') kept.resets += 1;
    };
    socket.onclose = () => void setTimeout(connect, 200);
  };
  connect();
}
