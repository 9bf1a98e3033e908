import { createHash } from 'node:crypto';
import { boot } from '@boardwire/audit';
import {
  auditCheckpointsSchema,
  auditDaysSchema,
  auditDisclosureSchema,
  auditEntrySchema,
  auditHealthSchema,
  auditPageSchema,
  auditProofSchema,
  internalHeaders,
  problemSchema,
  type AuditHealth,
} from '@boardwire/contracts';
import { provisionSchemas } from '@boardwire/database';
import { ConfigError, ServiceTokens, type Environment, type RunningService } from '@boardwire/service-kit';
import {
  CompactRange,
  decodeEntryBundle,
  entryBundlePath,
  leafHash,
  openCheckpoint,
  parseTlogProof,
  parseVerifier,
  splitHashes,
  tilePath,
  verifyConsistency,
  verifyInclusion,
} from '@boardwire/signing';
import { eventually, startTestInfrastructure, type TestInfrastructure } from '@boardwire/test-kit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ChatStandIn } from './chat-stand-in.ts';

const secret = 's'.repeat(32);
const gateway = new ServiceTokens('gateway', secret);

let infrastructure: TestInfrastructure;
let chat: ChatStandIn;
let environment: Environment;
let running: RunningService;

beforeAll(async () => {
  infrastructure = await startTestInfrastructure();
  chat = await ChatStandIn.start(infrastructure, secret);
  const schemas = [{ schema: 'audit', role: 'boardwire_audit', password: 'p' }];
  const urls = await provisionSchemas(infrastructure.env.DATABASE_URL, schemas);
  environment = {
    ...infrastructure.env,
    NODE_ENV: 'test',
    LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'silent',
    INTERNAL_SECRET: secret,
    DATABASE_URL: urls['audit'],
    CHAT_URL: chat.url,
  };
  running = await boot(environment);
});
afterAll(async () => {
  await running.stop();
  await chat.close();
  await infrastructure.stop();
});

async function get(path: string, { roles = ['auditor'], as = gateway }: { roles?: string[]; as?: ServiceTokens } = {}) {
  const identity = { userId: 'u9', name: 'Auditor', roles, sessionId: 's' };
  return fetch(`${running.internalUrl}/internal/v1/audit/${path}`, {
    headers: {
      authorization: `Bearer ${await as.issue('audit')}`,
      [internalHeaders.identity]: Buffer.from(JSON.stringify(identity)).toString('base64url'),
    },
  });
}

async function json(path: string): Promise<unknown> {
  const response = await get(path);
  expect(response.status).toBe(200);
  return response.json();
}

async function decide(body: unknown, as = gateway) {
  const response = await fetch(`${running.internalUrl}/internal/v1/decisions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await as.issue('audit')}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as unknown };
}

async function bytes(path: string): Promise<{ body: Buffer; cache: string | null }> {
  const response = await get(path);
  expect([path, response.status]).toEqual([path, 200]);
  return { body: Buffer.from(await response.arrayBuffer()), cache: response.headers.get('cache-control') };
}

const decision = (number: number, more: object = {}) => ({
  number,
  action: 'login',
  outcome: 'refused',
  actor: 'mallory',
  at: '2026-11-02T22:30:00.000Z',
  detail: { address: '192.0.2.7' },
  ...more,
});

const health = async (): Promise<AuditHealth> => auditHealthSchema.parse(await json('health'));

async function auditedAll(board: string, head: number): Promise<void> {
  await eventually(
    async () => {
      const position = (await health()).boards.find((entry) => entry.board === board);
      expect(position).toMatchObject({ head, audited: head, gaps: 0 });
    },
    { timeoutMs: 15_000 },
  );
}

async function covered(size: number): Promise<void> {
  await eventually(async () => expect((await health()).checkpoint?.size).toBeGreaterThanOrEqual(size));
}

describe('a board’s events', () => {
  test('are in the log in order, from the mirror and where it has holes from chat', async () => {
    await chat.publish('events', 600);
    await chat.publish('events', 50, { mirrored: false });
    await chat.publish('events', 50);
    await auditedAll('events', 700);
    const first = auditPageSchema.parse(await json('days/2026-11-01?limit=500'));
    const second = auditPageSchema.parse(await json(`days/2026-11-01?limit=500&after=${first.next}`));
    const entries = [...first.entries, ...second.entries];
    expect(entries.map((entry) => entry.board_seq)).toEqual(Array.from({ length: 700 }, (_, at) => at + 1));
    expect(second.next).toBeNull();
    expect(entries[4]).toMatchObject({
      kind: 'event',
      board: 'events',
      event_id: 'e5',
      actor: 'u1',
      origin: 'bs1here',
      time_zone: 'Europe/Rome',
      time: '2026-11-01T12:00:00.005Z',
      datahash: '5'.padStart(64, '0'),
      detail: { data: { text: 'message 5' } },
    });
  });

  test('are signed within a second and a half, and each proves its place with what the routes give alone', async () => {
    await covered(700);
    const key = parseVerifier((await (await get('key')).text()).trim());
    const answer = await get('checkpoint');
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
    const checkpoint = openCheckpoint(await answer.text(), key);
    expect(checkpoint.size).toBeGreaterThanOrEqual(700);
    for (const seq of [0, 255, 256, 511, 699]) {
      const entry = auditEntrySchema.parse(await json(`entries/${seq}`));
      const proof = auditProofSchema.parse(await json(`entries/${seq}/proof`));
      const signed = openCheckpoint(proof.checkpoint, key);
      const leaf = leafHash(Buffer.from(entry.record));
      expect(entry.leaf_hash).toBe(leaf.toString('hex'));
      const path = proof.proof.map((hash) => Buffer.from(hash, 'hex'));
      expect(verifyInclusion({ index: seq, size: proof.size, leaf, proof: path, root: signed.root })).toBe(true);
      expect(signed.size).toBe(proof.size);
    }
  });

  test('that come later grow the same tree', async () => {
    const key = parseVerifier((await (await get('key')).text()).trim());
    const before = openCheckpoint(await (await get('checkpoint')).text(), key);
    await chat.publish('events', 30);
    await auditedAll('events', 730);
    await covered(before.size + 30);
    const after = openCheckpoint(await (await get('checkpoint')).text(), key);
    const { proof } = (await json(`proof/consistency?from=${before.size}&to=${after.size}`)) as { proof: string[] };
    const claim = { from: before.size, to: after.size, fromRoot: before.root, toRoot: after.root };
    expect(verifyConsistency({ ...claim, proof: proof.map((hash) => Buffer.from(hash, 'hex')) })).toBe(true);
  });

  test('stand in tiles from which anybody makes the tree, and in bundles from which anybody makes the tiles', async () => {
    const key = parseVerifier((await (await get('key')).text()).trim());
    const { size, root } = openCheckpoint(await (await get('checkpoint')).text(), key);
    const leaves: Buffer[] = [];
    for (let index = 0; leaves.length < size; index += 1) {
      const width = Math.min(256, size - leaves.length);
      const tile = await bytes(tilePath({ level: 0, index }, width));
      const bundle = await bytes(entryBundlePath(index, width));
      expect([tile.cache, bundle.cache].map((cache) => cache!.includes('immutable'))).toEqual([
        width === 256,
        width === 256,
      ]);
      const records = decodeEntryBundle(bundle.body);
      expect(records).toHaveLength(width);
      expect(Buffer.concat(records.map((record) => leafHash(record))).equals(tile.body)).toBe(true);
      leaves.push(...splitHashes(tile.body));
    }
    const tree = new CompactRange();
    for (const leaf of leaves) tree.append(leaf);
    expect(tree.root()).toEqual(root);
    const roots = splitHashes((await bytes(`tile/1/000.p/${Math.floor(size / 256)}`)).body);
    const first = new CompactRange();
    for (const leaf of leaves.slice(0, 256)) first.append(leaf);
    expect(roots[0]).toEqual(first.root());
  });

  test('have a proof in one text, and a checkpoint of any size that was signed', async () => {
    const key = parseVerifier((await (await get('key')).text()).trim());
    const { index, proof, checkpoint } = parseTlogProof(await (await get('entries/300/tlog-proof')).text());
    const { size, root } = openCheckpoint(checkpoint, key);
    const leaf = leafHash(Buffer.from(auditEntrySchema.parse(await json('entries/300')).record));
    expect(verifyInclusion({ index, size, leaf, proof: [...proof], root })).toBe(true);
    expect(index).toBe(300);
    const { checkpoints } = auditCheckpointsSchema.parse(await json('checkpoints?limit=500'));
    expect(checkpoints.map((one) => one.size)).toEqual(checkpoints.map((one) => one.size).toSorted((a, b) => b - a));
    const oldest = checkpoints.at(-1)!;
    expect(await (await get(`checkpoint?size=${oldest.size}`)).text()).toBe(oldest.note);
    expect(openCheckpoint(oldest.note, key)).toMatchObject({ size: oldest.size });
    expect((await get('checkpoint?size=1')).status).toBe(oldest.size === 1 ? 200 : 404);
  });

  test('are the newest in `latest`, oldest first', async () => {
    const { entries, size } = auditPageSchema.parse(await json('latest?limit=3'));
    expect(entries.map(({ seq }) => seq)).toEqual([size - 3, size - 2, size - 1]);
  });
});

describe('decisions', () => {
  test('go into the same log, a repeat changes nothing', async () => {
    const batch = { service: 'gateway', decisions: [decision(1), decision(2)] };
    expect(await decide(batch)).toEqual({ status: 200, body: { received: 2 } });
    expect(await decide(batch)).toEqual({ status: 200, body: { received: 2 } });
    await eventually(async () => {
      const { entries } = auditPageSchema.parse(await json('days/2026-11-02'));
      expect(entries).toHaveLength(2);
      expect(entries[0]).toMatchObject({
        kind: 'decision',
        action: 'login',
        outcome: 'refused',
        actor: 'mallory',
        origin: 'gateway',
        detail: { data: { address: '192.0.2.7' } },
      });
      expect(entries[0]?.record).not.toContain('192.0.2.7');
    });
  });

  test('whose numbers jump leave a gap, which closes when the rest comes after all', async () => {
    const streams = { service: 'gateway-pod1' };
    await decide({ ...streams, decisions: [decision(1), decision(5)] });
    expect((await health()).gaps).toBe(1);
    expect(await decide({ ...streams, decisions: [decision(3)] })).toEqual({ status: 200, body: { received: 5 } });
    expect((await health()).gaps).toBe(2);
    await decide({ ...streams, decisions: [decision(2), decision(4), decision(5)] });
    expect((await health()).gaps).toBe(0);
    await eventually(async () => {
      const { entries } = auditPageSchema.parse(await json('days/2026-11-02'));
      expect(entries.filter(({ origin }) => origin === 'gateway-pod1')).toHaveLength(5);
    });
  });

  test('of another service are refused', async () => {
    const answer = await decide({ service: 'chat', decisions: [decision(1)] });
    expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  });

  test.each([
    ['no decisions', { service: 'gateway', decisions: [] }],
    ['a number of zero', { service: 'gateway', decisions: [decision(0)] }],
    ['an unknown outcome', { service: 'gateway', decisions: [decision(9, { outcome: 'maybe' })] }],
    ['a time that is none', { service: 'gateway', decisions: [decision(9, { at: 'noon' })] }],
    ['an unknown field', { service: 'gateway', decisions: [decision(9, { why: 'x' })] }],
  ])('with %s are refused as a whole', async (_, body) => {
    expect(await decide(body)).toMatchObject({ status: 400, body: { code: 'invalid' } });
  });

  test('are opened by their salt and data', async () => {
    const { entries } = auditPageSchema.parse(await json('days/2026-11-02'));
    const { seq, salt, data } = auditDisclosureSchema.parse(await json(`entries/${entries[0]!.seq}/disclosure`));
    expect(seq).toBe(entries[0]!.seq);
    const bytesOf = Buffer.from(data, 'base64');
    expect(JSON.parse(bytesOf.toString())).toEqual({ address: '192.0.2.7' });
    const hash = createHash('sha256').update(Buffer.from(salt, 'hex')).update(bytesOf).digest('hex');
    expect(hash).toBe(entries[0]!.datahash);
  });

  test('with text that databases choke on don’t stop the log', async () => {
    const odd = { actor: '\ud800\u0000', action: '\u0000', detail: { '\ud800': '\u0000' } };
    expect(await decide({ service: 'gateway', decisions: [decision(3, odd)] })).toMatchObject({ status: 200 });
    await eventually(async () => {
      const { entries } = auditPageSchema.parse(await json('latest?limit=1'));
      expect(entries[0]).toMatchObject({ actor: '\ufffd\ufffd', action: '\ufffd' });
    });
  });
});

describe('reading', () => {
  test('needs the role auditor or admin', async () => {
    for (const path of [
      'latest',
      'days',
      'days/2026-11-01',
      'entries/0',
      'entries/0/proof',
      'entries/0/tlog-proof',
      'checkpoints',
      'tile/0/000',
      'checkpoint',
      'health',
      'key',
    ]) {
      const refused = await get(path, { roles: ['user', 'publisher'] });
      expect(refused.status).toBe(403);
      expect(problemSchema.parse(await refused.json()).code).toBe('forbidden');
      expect((await get(path, { roles: ['admin'] })).status).toBe(200);
    }
  });

  test('is for the gateway only: another service cannot name a reader', async () => {
    expect((await get('latest', { as: new ServiceTokens('applets', secret) })).status).toBe(403);
    expect((await fetch(`${running.internalUrl}/internal/v1/audit/latest`)).status).toBe(401);
  });

  test.each([
    ['days/2026-02-30', 'invalid_day'],
    ['days/today', 'invalid_day'],
    ['days/0000-01-01', 'invalid_day'],
    ['days/2026-11-01?limit=0', 'invalid'],
    ['days/2026-11-01?limit=501', 'invalid'],
    ['days/2026-11-01?limit=1e2', 'invalid'],
    ['days/2026-11-01?after=-5', 'invalid'],
    ['days/2026-11-01?board=x', 'invalid'],
    ['latest?limit=x', 'invalid'],
    ['latest?limit=1&limit=2', 'invalid'],
    ['entries/abc', 'not_found'],
    ['entries/99999999', 'not_found'],
    ['entries/99999999/proof', 'not_found'],
    ['entries/99999999/tlog-proof', 'not_found'],
    ['entries/99999999/disclosure', 'not_found'],
    ['tile/0/999', 'not_found'],
    ['tile/0/000.p/0', 'not_found'],
    ['tile/0/000.p/257', 'not_found'],
    ['tile/64/000', 'not_found'],
    ['tile/0/0', 'not_found'],
    ['tile/entries/x001/000', 'not_found'],
    ['tile/0/000?epoch=aaaa', 'not_found'],
    ['tile/0/000?epoch=A', 'invalid'],
    ['checkpoint?size=-1', 'invalid'],
    ['checkpoint?size=99999999', 'not_found'],
    ['checkpoints?limit=0', 'invalid'],
    ['proof/consistency?from=1&to=2&epoch=aaaa', 'not_found'],
    ['proof/consistency?from=5&to=2', 'invalid'],
    ['proof/consistency?from=0&to=2', 'invalid'],
    ['proof/consistency?from=1&to=99999999', 'invalid'],
    ['nothing', 'not_found'],
  ])('%s is answered with %s', async (path, code) => {
    const response = await get(path);
    const problem = problemSchema.parse(await response.json());
    expect(problem.code).toBe(code);
    expect(response.status).toBe(problem.status);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  });

  test('an empty day is a page without entries, and stands in the list of days when days around it have some', async () => {
    expect(await json('days/2001-01-01')).toMatchObject({ entries: [], next: null });
    await decide({ service: 'gateway', decisions: [decision(4, { at: '2026-11-05T12:00:00Z' })] });
    await eventually(async () => {
      const { days } = auditDaysSchema.parse(await json('days'));
      // Who read the log before is recorded in it as well, today.
      expect(days.map(({ day }) => day).filter((day) => day <= '2026-11-05')).toEqual([
        '2026-11-05',
        '2026-11-04',
        '2026-11-03',
        '2026-11-02',
        '2026-11-01',
      ]);
      expect(days).toContainEqual({ day: '2026-11-04', entries: 0 });
    });
  });
});

describe('the service', () => {
  test('goes on after a restart where it stopped, under the same key', async () => {
    const key = await (await get('key')).text();
    const before = await health();
    await running.stop();
    await chat.publish('events', 40);
    running = await boot(environment);
    await auditedAll('events', 770);
    expect(await (await get('key')).text()).toBe(key);
    // Forty events, and records of who has read.
    expect((await health()).size).toBeGreaterThanOrEqual(before.size + 40);
  });

  test('is degraded without NATS, and audits from chat’s log', async () => {
    await infrastructure.nats.kill();
    await chat.publish('events', 5, { mirrored: false });
    await auditedAll('events', 775);
    await eventually(async () => {
      const response = await fetch(`${running.internalUrl}/readyz`);
      expect([response.status, ((await response.json()) as { status: string }).status]).toEqual([200, 'degraded']);
    });
    await infrastructure.nats.start();
    await eventually(async () => expect((await fetch(`${running.internalUrl}/readyz`)).status).toBe(200));
  });

  test('is not ready without Postgres, answers 503, and goes on when it is back', async () => {
    await infrastructure.postgres.stop();
    await eventually(async () => expect((await fetch(`${running.internalUrl}/readyz`)).status).toBe(503));
    const refused = await get('latest');
    expect(problemSchema.parse(await refused.json()).code).toBe('database_unavailable');
    expect(await decide({ service: 'gateway', decisions: [decision(5)] })).toMatchObject({ status: 503 });
    await chat.publish('events', 5, { mirrored: false });
    await infrastructure.postgres.start();
    await auditedAll('events', 780);
    expect(await decide({ service: 'gateway', decisions: [decision(5)] })).toMatchObject({ status: 200 });
    await eventually(async () => expect((await fetch(`${running.internalUrl}/readyz`)).status).toBe(200), {
      timeoutMs: 15_000,
    });
  }, 60_000);

  test('is not ready while Postgres hangs, and loses nothing by it', async () => {
    await infrastructure.postgres.pause();
    await chat.publish('events', 20);
    await eventually(async () => expect((await fetch(`${running.internalUrl}/readyz`)).status).toBe(503));
    await infrastructure.postgres.resume();
    await auditedAll('events', 800);
    await eventually(async () => expect((await fetch(`${running.internalUrl}/readyz`)).status).toBe(200), {
      timeoutMs: 20_000,
    });
  }, 60_000);

  test('tells its queues, gaps and the age of its checkpoint', async () => {
    const metrics = await (await fetch(`${running.internalUrl}/metrics`)).text();
    for (const series of [
      'boardwire_audit_commit_to_checkpoint_seconds_count',
      'boardwire_audit_checkpoint_age_seconds',
      'boardwire_audit_gaps 0',
      'boardwire_queue_depth{queue="audit inbox"}',
      'boardwire_queue_depth{queue="sequencer"}',
      'boardwire_queue_wait_seconds_count{queue="sequencer"}',
      'boardwire_loop_last_beat_seconds{loop="audit-sequencer"}',
    ]) {
      expect(metrics).toContain(series);
    }
  });

  test('lists every bad key of its configuration', async () => {
    const bad = { ...environment, DATABASE_URL: '', SITE_TIME_ZONE: 'Mars/Olympus', CHECKPOINT_KEY: 'short' };
    const error = await boot(bad).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).badKeys.map(({ key }) => key).sort()).toEqual([
      'CHECKPOINT_KEY',
      'DATABASE_URL',
      'SITE_TIME_ZONE',
    ]);
  });
});
