import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connect } from 'node:net';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { call, say, signInAsGuest, type Answer, type Person } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

const page =
  '<!doctype html><meta property="csp-nonce" nonce="__CSP_NONCE__"><script nonce="__CSP_NONCE__" src="/a.js"></script>';
const friend = 'https://friend.example';

let site: TestSite;
let ana: Person;
let consoleDir: string;
beforeAll(async () => {
  consoleDir = await mkdtemp(join(tmpdir(), 'console-'));
  await mkdir(join(consoleDir, 'assets'));
  await writeFile(join(consoleDir, 'index.html'), page);
  await writeFile(join(consoleDir, 'assets/app-1a2b.js'), 'export {};');
  site = await startTestSite({ env: { CONSOLE_DIR: consoleDir, CORS_ORIGINS: friend } });
  ana = await signInAsGuest(site.url, 'ana');
}, 60_000);
afterAll(async () => {
  await site?.stop();
  await rm(consoleDir, { recursive: true, force: true });
}, 30_000);

const events = (query = '') => `${site.url}/v1/boards/events/events${query}`;
const publish = (json: unknown, headers: Record<string, string> = {}) =>
  call<Record<string, unknown>>(events(), { token: ana.token, json, headers });
const structured = { 'content-type': 'application/cloudevents+json' };
const cloudEvent = (id: string, over: Record<string, unknown> = {}) => ({
  specversion: '1.0',
  id,
  source: `/users/${ana.id}`,
  type: 'note',
  subject: 'AxonChat.lobby',
  data: { text: id },
  ...over,
});

describe('publishing', () => {
  test('the same event again answers 200 with the first seq; other content under its key is 409', async () => {
    const first = await publish(cloudEvent('same'), structured);
    expect(first.status).toBe(201);
    const again = await publish(cloudEvent('same'), structured);
    expect(again).toMatchObject({ status: 200, body: { seq: first.body['seq'], cursor: first.body['cursor'] } });
    const other = await publish(cloudEvent('same', { data: { text: 'else' } }), structured);
    expect(other).toMatchObject({ status: 409, body: { code: 'event_conflict', id: 'same' } });
  });

  test('binary mode is the same event as structured mode', async () => {
    const headers = {
      'ce-specversion': '1.0',
      'ce-id': 'binary',
      'ce-source': `/users/${ana.id}`,
      'ce-type': 'note',
      'ce-subject': 'AxonChat.lobby',
    };
    const first = await call(events(), { token: ana.token, json: { text: 'binary' }, headers });
    expect(first.status).toBe(201);
    const again = { ...cloudEvent('binary'), datacontenttype: 'application/json' };
    expect((await publish(again, structured)).status).toBe(200);
  });

  test('each event of a batch has an outcome of its own, in order', async () => {
    const batch = [
      cloudEvent('batch-1'),
      cloudEvent('same'),
      cloudEvent('batch-2', { subject: 'federation.x' }),
      cloudEvent('batch-3', { type: 'a\nb' }),
      cloudEvent('batch-4'),
    ];
    const answer = await call<{ status: number; code?: string; id?: string; seq?: number }[]>(events(), {
      token: ana.token,
      json: batch,
      headers: { 'content-type': 'application/cloudevents-batch+json' },
    });
    expect(answer.status).toBe(200);
    expect(answer.body.map(({ status, code }) => code ?? status)).toEqual([201, 200, 'forbidden', 'invalid', 201]);
    expect(answer.body[4]!.seq).toBe(answer.body[0]!.seq! + 1);
  });

  test('above its rate a user is told when to come back, others are not touched', async () => {
    const eve = await signInAsGuest(site.url, 'eve');
    const answers = await Promise.all(
      Array.from({ length: 4 }, (_, at) =>
        call<{ code: string; retryAfterMs: number }>(events(), {
          token: eve.token,
          json: Array.from({ length: 200 }, (__, index) => ({
            ...cloudEvent(`rate-${at}-${index}`),
            source: `/users/${eve.id}`,
          })),
          headers: { 'content-type': 'application/cloudevents-batch+json' },
        }),
      ),
    );
    const limited = answers.filter(({ status }) => status === 429);
    expect(limited.length).toBeGreaterThanOrEqual(1);
    expect(limited[0]!.body.code).toBe('rate_limited');
    expect(limited[0]!.body.retryAfterMs).toBeGreaterThan(0);
    expect(Number(limited[0]!.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect((await say(site.url, ana, 'not touched')).status).toBe(201);
  });
});

describe('history', () => {
  test('reads forward and back by its links, without a hole or a repeat', async () => {
    for (let at = 0; at < 7; at += 1) await publish(cloudEvent(`h${at}`, { subject: 'GameScore.history' }), structured);
    const follow = async (query: string, rel: 'next' | 'prev') => {
      const ids: string[][] = [];
      let address: string | undefined = events(query);
      while (address !== undefined) {
        const page: Answer<{ events: { id: string }[] }> = await call(address, { token: ana.token });
        expect(page.status).toBe(200);
        ids.push(page.body.events.map(({ id }) => id));
        const link: string | undefined = page.headers.get('link')?.match(new RegExp(`<([^>]+)>; rel="${rel}"`))?.[1];
        address = link === undefined ? undefined : site.url + link;
      }
      return ids;
    };
    const all = ['h0', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6'];
    const forward = await follow('?subject=GameScore.history&after=start&limit=3', 'next');
    expect(forward.flat()).toEqual(all);
    const back = await follow('?subject=GameScore.history&limit=3', 'prev');
    expect(back.toReversed().flat()).toEqual(all);
  });

  test('comes as lines when asked, and as nothing that it isn’t', async () => {
    const lines = await call(events('?limit=3'), { token: ana.token, headers: { accept: 'application/x-ndjson' } });
    expect(lines.type).toContain('application/x-ndjson');
    const parsed = lines.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { cursor: string });
    expect(parsed).toHaveLength(3);
    expect(parsed[0]!.cursor).toMatch(/^[a-z0-9]{8}-\d+$/);
    const odd = await call(events(), { token: ana.token, headers: { accept: 'image/png' } });
    expect(odd).toMatchObject({ status: 406, body: { code: 'not_acceptable' } });
  });
});

describe('the door', () => {
  test('a stream to an HTTP/1.0 client has no chunk framing', async () => {
    const text = await firstBytes(
      `GET /v1/boards/events/stream HTTP/1.0\r\nauthorization: Bearer ${ana.token}\r\n\r\n`,
      'caught_up',
    );
    const [head, body] = [text.slice(0, text.indexOf('\r\n\r\n')), text.slice(text.indexOf('\r\n\r\n') + 4)];
    expect(head).not.toMatch(/transfer-encoding/i);
    expect(body).toMatch(/^retry: \d+\n\nid: /);
  });

  test('HEAD on a stream answers its head and ends', async () => {
    const answer = await call(`${site.url}/v1/boards/events/stream`, { method: 'HEAD', token: ana.token });
    expect(answer).toMatchObject({ status: 200, text: '' });
    expect(answer.type).toContain('text/event-stream');
  });

  test('pages of a listed origin may read answers, also refusals and streams; others may not', async () => {
    const preflight = await call(`${site.url}/v1/boards/events/events`, {
      method: 'OPTIONS',
      headers: { origin: friend, 'access-control-request-method': 'POST' },
    });
    expect(preflight.headers.get('access-control-allow-origin')).toBe(friend);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization');
    const refused = await call(`${site.url}/v1/boards`, { headers: { origin: friend } });
    expect(refused).toMatchObject({ status: 401 });
    expect(refused.headers.get('access-control-allow-origin')).toBe(friend);
    const foreign = await call(`${site.url}/v1/boards`, { headers: { origin: 'https://evil.example' } });
    expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
    const stream = await firstBytes(
      `GET /v1/boards/events/stream HTTP/1.1\r\nhost: x\r\norigin: ${friend}\r\nauthorization: Bearer ${ana.token}\r\n\r\n`,
      'caught_up',
    );
    expect(stream.toLowerCase()).toContain(`access-control-allow-origin: ${friend}`);
  });

  test('the console’s page has a new nonce each time and a policy that allows it alone', async () => {
    const answers = await Promise.all(
      ['/', '/', '/boards/events'].map((path) =>
        firstBytes(`GET ${path} HTTP/1.1\r\nhost: x\r\naccept: text/html\r\n\r\n`, '</script>'),
      ),
    );
    const nonces = answers.map((text) => /nonce="([^"]+)"/.exec(text)![1]!);
    expect(new Set(nonces).size).toBe(3);
    for (const [at, text] of answers.entries()) {
      expect(text).toMatch(/^HTTP\/1\.1 200 /);
      expect(text).toContain(`style-src 'self' 'nonce-${nonces[at]}'`);
      expect(text).toContain("default-src 'none'");
      expect(text).not.toContain('unsafe');
      expect(text).not.toContain('__CSP_NONCE__');
      expect(text).toContain('cache-control: no-store');
      expect(text).toContain('x-content-type-options: nosniff');
    }
  });

  test('bundled assets are kept for ever, what is not there is not the page, and nothing climbs out', async () => {
    const asset = await call(`${site.url}/assets/app-1a2b.js`);
    expect(asset).toMatchObject({ status: 200, type: 'text/javascript; charset=utf-8' });
    expect(asset.headers.get('cache-control')).toContain('immutable');
    for (const path of ['/assets/gone.js', '/%2e%2e/%2e%2e/etc/passwd', '/assets/..%2f..%2findex.html']) {
      expect((await call(site.url + path)).status).toBe(404);
    }
    const climbing = await firstBytes(
      'GET /../../etc/passwd HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
      '\r\n\r\n',
    );
    expect(climbing).toMatch(/^HTTP\/1\.1 404 /);
  });

  test('headers of internal requests mean nothing from outside', async () => {
    const forged = Buffer.from(
      JSON.stringify({ userId: 'admin', name: 'admin', roles: ['admin'], sessionId: 'x', boards: [] }),
    ).toString('base64url');
    const me = await call(`${site.url}/v1/auth/me`, { headers: { 'boardwire-identity': forged } });
    expect(me.status).toBe(401);
    const audit = await call(`${site.url}/v1/audit/latest`, {
      token: ana.token,
      headers: { 'boardwire-identity': forged },
    });
    expect(audit.status).toBe(403);
  });
});

/** What comes over a raw socket until a text has been seen. */
function firstBytes(request: string, until: string): Promise<string> {
  const { hostname, port } = new URL(site.url);
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(Number(port), hostname, () => socket.write(request));
    socket.setTimeout(5_000, () => socket.destroy(new Error(`no ${until} in ${text}`)));
    socket.on('error', reject);
    socket.on('data', (bytes) => {
      text += bytes.toString();
      if (!text.includes(until)) return;
      resolve(text);
      socket.destroy();
    });
    socket.on('close', () => reject(new Error(`closed after ${text}`)));
  });
}

describe('an offer to speak HTTP/2 on a plain connection, as Java’s client makes it', () => {
  test('is ignored: the request is served, and so are those behind it', async () => {
    const { hostname, port } = new URL(site.url);
    const body = JSON.stringify({ subject: 'AxonChat.lobby', type: 'note', data: { text: 'from Java' } });
    const shared = `host: ${hostname}\r\nauthorization: Bearer ${ana.token}\r\n`;
    const offer = 'connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAEAAEAAAAIAAAAB\r\n';
    const about = `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`;
    const socket = connect(Number(port), hostname);
    let answers = '';
    socket.on('data', (bytes: Buffer) => (answers += bytes.toString()));
    // The body comes apart from its head.
    socket.write(`POST /v1/boards/events/events HTTP/1.1\r\n${shared}${offer}${about}\r\n${body.slice(0, 10)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.write(`${body.slice(10)}GET /v1/boards/events HTTP/1.1\r\n${shared}connection: close\r\n\r\n`);
    await new Promise((resolve) => socket.once('close', resolve));
    expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 201', 'HTTP/1.1 200']);
  }, 10_000);
});
