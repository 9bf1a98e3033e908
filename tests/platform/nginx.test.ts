import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, WsReader } from '@boardwire/test-kit';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { nginxOrReason } from '../support/program-or-reason.ts';
import { H2Stream } from '../support/h2-stream.ts';
import { nginxConf, startNginx, type NginxBeforeGateways } from '../support/nginx-before-gateways.ts';
import { call, say, type Person } from '../support/person.ts';
import { SteadyLoad } from '../support/steady-load.ts';
import { faultsOf, StreamRecorder, type Block } from '../support/stream-recorder.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

type Frame = Record<string, unknown> & { type: string };

const program = await nginxOrReason();
/** Nothing may wait in a buffer: what is posted is with its reader before the next post. */
const atOnceMs = 1_000;

(program === undefined ? describe.skip : describe)('two gateways behind nginx', () => {
  let site: TestSite;
  let nginx: NginxBeforeGateways;
  let admin: Person;
  const open: { close(): void }[] = [];

  beforeAll(async () => {
    const env = { HEARTBEAT_MS: '1000', TRUSTED_PROXIES: '127.0.0.1' };
    site = await startTestSite({ mode: 'processes', gateways: 2, env });
    nginx = await startNginx(program!, site);
    admin = await site.admin();
  }, 120_000);
  afterAll(async () => {
    for (const reader of open) reader.close();
    await nginx?.stop();
    await site?.stop();
  }, 30_000);

  const keep = <T extends { close(): void }>(reader: T): T => {
    open.push(reader);
    return reader;
  };
  const follow = (path: string, options: { url?: string; returns?: boolean; lastEventId?: string } = {}) => {
    const { url = nginx.url, ...rest } = options;
    return keep(new StreamRecorder(`${url}${path}`, { token: admin.token, ...rest }));
  };
  const isEvent = ({ data, event }: Block) => data !== undefined && event === undefined;

  /** Posts one after the other, each when the one before has arrived, and answers the longest wait. */
  async function longestWait(read: () => readonly Block[]): Promise<number> {
    let longestMs = 0;
    for (let at = 0; at < 10; at += 1) {
      const posted = performance.now();
      const { body } = await say(nginx.url, admin, `one by one ${at}`);
      await eventually(() => expect(read().find((block) => isEvent(block) && block.id === body.cursor)).toBeDefined(), {
        everyMs: 5,
      });
      longestMs = Math.max(longestMs, performance.now() - posted);
    }
    return longestMs;
  }

  test('passes events on one by one over HTTP/1.1', async () => {
    const stream = follow('/v1/boards/events/stream');
    await stream.until((it) => it.named('caught_up').length === 1);
    expect(await longestWait(() => stream.blocks)).toBeLessThan(atOnceMs);
    expect(faultsOf(stream.seqs, stream.seqs[0]!, stream.seqs[0]! + 9)).toEqual([]);
  });

  test('passes events on one by one over HTTP/2', async () => {
    const stream = keep(new H2Stream(`${nginx.h2Url}/v1/boards/events/stream`, admin.token));
    await eventually(() => expect(stream.blocks.some(({ event }) => event === 'caught_up')).toBe(true));
    expect(stream.protocol).toBe('h2c');
    expect(stream.status).toBe(200);
    expect(stream.headers).toMatchObject({ 'content-type': 'text/event-stream; charset=utf-8' });
    expect(await longestWait(() => stream.blocks)).toBeLessThan(atOnceMs);
  });

  test('passes them on at once even without our lines: the answer itself forbids to buffer', async () => {
    const bare = nginxConf.replace(/^ +proxy_(?!pass|temp_path).*\n/gm, '');
    expect(bare).not.toMatch(/proxy_buffering|proxy_http_version|proxy_set_header/);
    const other = await startNginx(program!, site, bare);
    try {
      const stream = follow('/v1/boards/events/stream', { url: other.url });
      await stream.until((it) => it.named('caught_up').length === 1);
      expect(await longestWait(() => stream.blocks)).toBeLessThan(atOnceMs);
    } finally {
      await other.stop();
    }
  }, 30_000);

  test('passes heartbeats on, so that a quiet reader’s cursor stays fresh', async () => {
    const quiet = follow('/v1/boards/events/stream?subject=GameScore.quiet');
    await quiet.until((it) => it.named('caught_up').length === 1);
    const { body } = await say(nginx.url, admin, 'elsewhere');
    await quiet.until(
      (it) => it.blocks.some(({ id, data, event }) => id === body.cursor && data === undefined && event === undefined),
      5_000,
    );
    expect(quiet.events).toHaveLength(0);
  });

  test('lets a reader resume on whichever gateway', async () => {
    const { body: first } = await say(nginx.url, admin, 'before the break');
    const later = [];
    for (let at = 0; at < 3; at += 1) later.push((await say(nginx.url, admin, `missed ${at}`)).body.cursor);
    for (let round = 0; round < 4; round += 1) {
      const back = follow('/v1/boards/events/stream', { lastEventId: first.cursor });
      await back.until((it) => it.named('caught_up').length === 1);
      expect(back.named('reset')).toHaveLength(0);
      expect(back.events.map(({ id }) => id)).toEqual(later);
    }
  });

  test('passes WebSockets on, a browser’s with the origin of its page among them', async () => {
    const socket = keep(
      await WsReader.open<Frame>(`${nginx.url.replace('http', 'ws')}/v1/ws`, {
        protocols: ['boardwire.v1'],
        headers: { origin: nginx.url },
      }),
    );
    socket.send({ type: 'auth', token: admin.token });
    socket.send({ type: 'subscribe', sub: 's', board: 'events', subjects: ['>'] });
    await socket.until(({ type }) => type === 'caught_up');
    const { body } = await say(nginx.url, admin, 'to a socket');
    expect(await socket.until(({ type }) => type === 'event')).toMatchObject({ cursor: body.cursor });
  });

  test('refuses with the gateway’s own status and problem', async () => {
    expect(await call(`${nginx.url}/v1/boards/events/stream`)).toMatchObject({ status: 401 });
    expect(await call(`${nginx.url}/v1/boards/none/stream`, { token: admin.token })).toMatchObject({
      status: 404,
      body: { code: 'board_unknown' },
    });
  });

  test('tells the gateways the client’s own address, whatever that client claims to be', async () => {
    const attempts = [];
    for (let at = 0; at < 11; at += 1) attempts.push(await signInFrom('127.0.0.2', `203.0.113.${at}`));
    expect(attempts).toEqual([...Array.from({ length: 10 }, () => 401), 429]);
    expect(await signInFrom('127.0.0.3', '203.0.113.1')).toBe(401);
  }, 30_000);

  /** With a wrong password: ten such are allowed for a name from one address. */
  function signInFrom(localAddress: string, claimed: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'x-forwarded-for': claimed };
      const outgoing = request(`${nginx.url}/v1/auth/login`, { method: 'POST', localAddress, headers, agent: false });
      outgoing.on('response', (response) => resolve(response.resume().statusCode ?? 0));
      outgoing.on('error', reject);
      outgoing.end(JSON.stringify({ name: 'admin', password: 'not the password' }));
    });
  }

  test('takes the next gateway when one is killed: its readers come back and miss nothing', async () => {
    const made = await call(`${nginx.url}/v1/boards`, {
      token: admin.token,
      json: { slug: 'killed', title: 'Killed' },
    });
    expect(made.status).toBe(201);
    const readers = Array.from({ length: 12 }, () => follow('/v1/boards/killed/stream?after=start', { returns: true }));
    for (const reader of readers) await reader.until((it) => it.named('caught_up').length >= 1);
    const load = new SteadyLoad(nginx.url, admin, 'killed');
    await load.accepted(50);
    await site.site.services['gateway-2']!.kill();
    await load.accepted(load.seqs.length + 150);
    await site.site.services['gateway-2']!.start();
    await load.accepted(load.seqs.length + 50);
    await load.stop();
    const last = Math.max(...load.seqs);
    expect(
      faultsOf(
        load.seqs.sort((a, b) => a - b),
        1,
        last,
      ),
    ).toEqual([]);
    for (const reader of readers) {
      await reader.until((it) => it.seqs.at(-1) === last);
      expect(faultsOf(reader.seqs, 1, last)).toEqual([]);
      expect(reader.named('reset')).toHaveLength(0);
    }
    // Some of them were on it, and only those had to come back.
    const returned = readers.filter(({ connects }) => connects > 1).length;
    expect(returned).toBeGreaterThan(0);
    expect(returned).toBeLessThan(readers.length);
  }, 60_000);
});

describe('the lines of docs/proxies.md', () => {
  const documented = readFileSync(fileURLToPath(new URL('../../docs/proxies.md', import.meta.url)), 'utf8');
  const linesOf = (text: string) => [...text.matchAll(/^ *(proxy_(?!temp_path).*;)$/gm)].map(([, line]) => line!);

  test('are those that docker compose runs and that were tried above', () => {
    expect(linesOf(documented)).toEqual(linesOf(nginxConf));
    expect(linesOf(documented).length).toBeGreaterThanOrEqual(6);
  });
});
