import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '@boardwire/test-kit';
import { spawnSync } from 'node:child_process';
import { call, signInAsGuest, type Person } from '../support/person.ts';
import { seqOf, type RealClient } from '../support/real-client.ts';
import { kindsOfClients, type KindOfClient } from '../support/real-clients.ts';
import { SteadyLoad } from '../support/steady-load.ts';
import { faultsOf } from '../support/stream-recorder.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

const heartbeatMs = 1_000;
const kinds = kindsOfClients.filter(({ name }) => name !== 'curl' || hasCurl());

const names = kinds.map(({ name }) => name);

let site: TestSite;
let admin: Person;
let guest: Person;
const opened: RealClient[] = [];

beforeAll(async () => {
  const env = { HEARTBEAT_MS: String(heartbeatMs) };
  site = await startTestSite({ mode: 'processes', gateways: 2, hasProxy: true, env });
  admin = await site.admin();
  guest = await signInAsGuest(site.url, 'passer-by');
}, 120_000);
afterAll(async () => {
  for (const client of opened) client.close();
  await site?.stop();
}, 30_000);

function hasCurl(): boolean {
  if (spawnSync('curl', ['--version']).status === 0) return true;
  process.stdout.write('curl is not tried: there is none on this machine\n');
  return false;
}

function open(kind: KindOfClient, path: string, token = admin.token): RealClient {
  const client = kind.open({ url: `${site.url}${path}`, token });
  opened.push(client);
  return client;
}

async function newBoard(slug: string, rules: unknown[] = []): Promise<void> {
  const made = await call(`${site.url}/v1/boards`, { token: admin.token, json: { slug, title: slug, rules } });
  expect(made.status).toBe(201);
}

const isLive = (client: RealClient) => eventually(() => expect(client.names).toContain('caught_up'));

describe('clients as people have them, behind one address with two gateways', () => {
  interface Opened {
    kind: KindOfClient;
    client: RealClient;
  }
  let readers: Opened[];
  let quiet: Opened[];
  let newest: number;
  let accepted: number[];

  /** Three of each kind, so that no kind is all on one gateway, read what is posted; one of each hears nothing. */
  beforeAll(async () => {
    await newBoard('killed');
    const each = (path: string) => kinds.map((kind) => ({ kind, client: open(kind, path) }));
    readers = [1, 2, 3].flatMap(() => each('/v1/boards/killed/stream?after=start'));
    quiet = each('/v1/boards/events/stream?subject=GameScore.nobody');
    for (const { client } of [...readers, ...quiet]) await isLive(client);
    newest = seqOf(await post('GameScore.busy'));
    const load = new SteadyLoad(site.url, admin, 'killed');
    await load.accepted(30);
    await new Promise((resolve) => setTimeout(resolve, 2 * heartbeatMs));
    for (const name of ['gateway', 'gateway-2']) {
      await site.site.services[name]!.kill();
      await load.accepted(load.seqs.length + 60);
      await site.site.services[name]!.start();
      await load.accepted(load.seqs.length + 60);
    }
    await load.stop();
    accepted = load.seqs.sort((a, b) => a - b);
  }, 120_000);

  test.each(names)(
    '%s loses nothing and repeats nothing while each gateway is killed under it',
    async (name) => {
      const last = accepted.at(-1)!;
      expect(faultsOf(accepted, 1, last)).toEqual([]);
      const clients = readers.filter(({ kind }) => kind.name === name).map(({ client }) => client);
      for (const client of clients) {
        const seqs = () => client.cursors.map(seqOf);
        await eventually(() => expect(seqs().at(-1)).toBe(last), { timeoutMs: 15_000 });
        expect(faultsOf(seqs(), 1, last)).toEqual([]);
        expect(client.names).not.toContain('reset');
        expect(client.refusal).toBeUndefined();
      }
      expect(Math.max(...clients.map(({ sentCursors }) => sentCursors.length))).toBeGreaterThanOrEqual(2);
    },
    30_000,
  );

  test.each(names)(
    '%s comes back to a quiet subject, with a fresh cursor if it minds heartbeats',
    async (name) => {
      const { kind, client } = quiet.find((entry) => entry.kind.name === name)!;
      await eventually(() => expect(client.names.filter((it) => it === 'caught_up').length).toBeGreaterThan(1), {
        timeoutMs: 15_000,
      });
      expect(client.cursors).toEqual([]);
      expect(client.names).not.toContain('reset');
      // Of its first return: the opening of a stream refreshes every client.
      const sent = seqOf(client.sentCursors[1]);
      expect(kind.isRefreshedByHeartbeats ? sent >= newest : sent < newest).toBe(true);
    },
    30_000,
  );
});

describe.each(kinds.map((kind) => [kind.name, kind] as const))('%s', (_name, kind) => {
  test('gets the opening block, then events in order and at once', async () => {
    const subject = `GameScore.${kinds.indexOf(kind)}`;
    const client = open(kind, `/v1/boards/events/stream?subject=${subject}`);
    await isLive(client);
    expect(client.names.filter((name) => name !== 'welcome').slice(0, 2)).toEqual(['resumed', 'caught_up']);
    const posted: string[] = [];
    for (let at = 0; at < 5; at += 1) posted.push(await post(subject));
    await eventually(() => expect(client.cursors).toEqual(posted), { timeoutMs: 2_000 });
  });

  test('is refused with 401, 403 and 404, and does not come back', async () => {
    await call(`${site.url}/v1/boards`, {
      token: admin.token,
      json: { slug: 'closed', title: 'Closed', rules: [{ pattern: 'secret.>', class: 'log', access: 'members' }] },
    });
    const [unknown, forbidden, missing] = [
      open(kind, '/v1/boards/events/stream', 'no-token'),
      open(kind, '/v1/boards/closed/stream?subject=secret.plan', guest.token),
      open(kind, '/v1/boards/nowhere/stream'),
    ];
    await eventually(() =>
      expect([unknown, forbidden, missing].map(({ refusal }) => refusal)).not.toContain(undefined),
    );
    // undici does not tell the status; that it is closed for good is what it tells.
    const told = [unknown, forbidden, missing].map(({ refusal }) => refusal);
    expect([
      [401, 403, 404],
      [2, 2, 2],
    ]).toContainEqual(told);
    for (const client of [unknown, forbidden, missing]) expect(client.sentCursors.length).toBeLessThanOrEqual(1);
  });
});

async function post(subject: string): Promise<string> {
  const { body } = await call<{ cursor: string }>(`${site.url}/v1/boards/events/events`, {
    token: admin.token,
    json: { subject, type: 'game.score', data: {} },
  });
  return body.cursor;
}
