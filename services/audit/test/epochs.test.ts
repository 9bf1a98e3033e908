import { boot } from '@boardwire/audit';
import {
  auditEntrySchema,
  auditHealthSchema,
  auditPageSchema,
  auditProofSchema,
  auditStream,
  internalHeaders,
  type AuditHealth,
} from '@boardwire/contracts';
import { provisionSchemas } from '@boardwire/database';
import { connectBus } from '@boardwire/messaging';
import { createLogger, ServiceTokens, type Environment, type RunningService } from '@boardwire/service-kit';
import {
  leafHash,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
  parseVerifier,
  verifyInclusion,
  type NoteVerifier,
} from '@boardwire/signing';
import { eventually, startTestInfrastructure, type TestInfrastructure } from '@boardwire/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { ChatStandIn } from './chat-stand-in.ts';
import { SchemaBackup } from './schema-backup.ts';

const secret = 's'.repeat(32);
const gateway = new ServiceTokens('gateway', secret);

let infrastructure: TestInfrastructure;
let superuser: pg.Client;
let environment: Environment;
let chat: ChatStandIn;
let running: RunningService | undefined;
/** Every checkpoint that a route has answered: its root by origin and size. */
let published: Map<string, string>;

beforeAll(async () => {
  infrastructure = await startTestInfrastructure();
  superuser = new pg.Client({ connectionString: infrastructure.env.DATABASE_URL });
  await superuser.connect();
});
afterAll(async () => {
  await superuser.end();
  await infrastructure.stop();
});
beforeEach(async () => {
  chat = await ChatStandIn.start(infrastructure, secret);
  await superuser.query('DROP SCHEMA IF EXISTS audit CASCADE; DROP SCHEMA IF EXISTS backup CASCADE');
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
  published = new Map();
  running = await boot(environment);
});
afterEach(async () => {
  await stop();
  await chat.close();
  await onBus((bus) => bus.streams.delete('BOARDS'));
});

test('a backup put back while the service was stopped begins a new epoch, and nothing is signed twice', async () => {
  await grow(300);
  const backup = await SchemaBackup.take(superuser);
  const kept = await checkpoint();
  await grow(500);
  const former = await checkpoint();
  await stop();
  await backup.putBack();
  running = await boot(environment);
  await grow(100);

  const now = await health();
  expect(now.epoch).not.toBe(epochOf(former.origin));
  expect(now.former).toEqual([
    { epoch: epochOf(former.origin), size: former.size, root: former.root.toString('hex'), note: former.note },
  ]);
  // Numbers that readers have seen of lost entries are not given to others.
  expect(now.first_seq).toBeGreaterThan(former.size);
  const first = auditEntrySchema.parse(await json(`entries/${now.first_seq}`));
  expect(first).toMatchObject({ kind: 'decision', action: 'audit.epoch', actor: 'audit' });
  expect(JSON.parse(first.record)).toMatchObject({
    checkpoint: former.note,
    kept_size: 300,
    kept_root: kept.root.toString('hex'),
  });
  expect(await boardSeqs(now)).toEqual(upTo(900, 301));
  expect(now.size).toBe(1 + 600);
  await expectProven(now.first_seq);
  await expectProven(now.first_seq + now.size - 1);
  // What the backup held is still there, and proven by what was signed then.
  expect(await expectProven(17)).toMatchObject({ size: kept.size, index: 17 });
  expect(now.gaps).toBe(0);
});

test('a backup put back under a running service is found before anything is signed on it', async () => {
  await grow(100);
  const backup = await SchemaBackup.take(superuser);
  await grow(400);
  const former = await checkpoint();
  await backup.putBack();
  await grow(50);
  const now = await health();
  expect(now.former[0]).toMatchObject({ size: former.size, note: former.note });
  expect(await boardSeqs(now)).toEqual(upTo(550, 101));
});

test('while the witness can’t be asked nothing is signed, and a log that grew past its loss is then found', async () => {
  await grow(100);
  const backup = await SchemaBackup.take(superuser);
  // Not events: the board would bring those again, to the very roots that were signed.
  const decisions = Array.from({ length: 300 }, (_, at) => ({ ...decision, number: at + 1 }));
  await post('decisions', gateway, { service: 'gateway', decisions });
  await signed(400);
  const former = await checkpoint();
  await stop();
  await backup.putBack();
  await infrastructure.nats.kill();
  running = await boot(environment);
  await chat.publish('events', 350, { mirrored: false });
  await eventually(async () => expect((await health()).boards[0]).toMatchObject({ audited: 450 }));
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect((await health()).checkpoint?.size).toBe(100);
  await infrastructure.nats.start();
  await eventually(async () => expect((await health()).former).toHaveLength(1), { timeoutMs: 15_000 });
  const now = await health();
  expect(now.former[0]).toMatchObject({ size: former.size, note: former.note });
  await eventually(async () => expect((await checkpoint()).origin).not.toBe(former.origin), { timeoutMs: 10_000 });
  // All that came meanwhile is kept, in the epoch that ended; no signature covers it.
  expect(now.boards[0]).toMatchObject({ audited: 450 });
  expect(now.gaps).toBe(0);
}, 40_000);

test('an operator’s word begins a new epoch where nobody else remembers', async () => {
  await grow(100);
  const backup = await SchemaBackup.take(superuser);
  await grow(100);
  const former = await checkpoint();
  await stop();
  await backup.putBack();
  await onBus((bus) => bus.streams.delete(auditStream.name));
  running = await boot(environment);
  const operator = new ServiceTokens('operator', secret);
  const refused = await post('restored', gateway);
  expect(refused.status).toBe(403);
  expect((await post('restored', operator)).status).toBe(204);
  await grow(10);
  const now = await health();
  expect(now.former[0]).toMatchObject({ epoch: epochOf(former.origin), size: 100 });
});

test('a backup from before another restore begins one more epoch, and the one that it has forgotten is not gone on with', async () => {
  await grow(100);
  const backup = await SchemaBackup.take(superuser);
  await grow(100);
  const first = await checkpoint();
  for (const round of [1, 2]) {
    await stop();
    await backup.putBack();
    running = await boot(environment);
    await grow(50 * round);
  }
  const now = await health();
  expect(
    [...published.keys()].map((place) => place.split(' ')[0]).filter((name, at, all) => all.indexOf(name) === at),
  ).toHaveLength(3);
  expect(now.former).toHaveLength(1);
  const record = JSON.parse(auditEntrySchema.parse(await json(`entries/${now.first_seq}`)).record) as {
    checkpoint: string;
  };
  const known = parseCheckpoint(parseNote(record.checkpoint).text);
  expect(known.origin).not.toBe(first.origin);
  expect(now.size).toBe(1 + 250);
});

test('a Postgres of another identity begins a new epoch', async () => {
  await grow(100);
  const former = await checkpoint();
  await stop();
  await superuser.query(`UPDATE audit.tree SET system_identifier = '1'`);
  running = await boot(environment);
  await grow(10);
  expect((await health()).former[0]).toMatchObject({ size: former.size, note: former.note });
});

test('a restart without a loss stays in its epoch', async () => {
  await grow(100);
  const before = await checkpoint();
  await stop();
  running = await boot(environment);
  await grow(100);
  const after = await checkpoint();
  expect(after).toMatchObject({ origin: before.origin, size: 200 });
  expect((await health()).former).toEqual([]);
});

/** Publishes, and waits until all of it is signed. */
async function grow(count: number): Promise<void> {
  await chat.publish('events', count);
  await signed((await settled()).size);
}

async function signed(size: number): Promise<void> {
  await eventually(async () => expect((await checkpoint()).size).toBe(size), { timeoutMs: 10_000 });
}

async function settled(): Promise<AuditHealth> {
  const total = chat.head('events');
  await eventually(
    async () => expect((await health()).boards).toContainEqual(expect.objectContaining({ audited: total })),
    { timeoutMs: 15_000 },
  );
  return health();
}

/** The newest checkpoint, verified; two roots of one origin and size fail the test at once. */
async function checkpoint(): Promise<{ origin: string; size: number; root: Buffer; note: string }> {
  const note = await (await get('checkpoint')).text();
  const claimed = parseCheckpoint(parseNote(note).text);
  const signed = openCheckpoint(note, await keyOf(claimed.origin));
  const place = `${signed.origin} ${signed.size}`;
  const root = signed.root.toString('hex');
  expect([place, published.get(place) ?? root]).toEqual([place, root]);
  published.set(place, root);
  return { ...signed, note };
}

async function keyOf(origin: string): Promise<NoteVerifier> {
  const lines = (await (await get('key')).text()).trim().split('\n');
  return lines.map((line) => parseVerifier(line)).find(({ name }) => name === origin)!;
}

async function expectProven(seq: number) {
  const entry = auditEntrySchema.parse(await json(`entries/${seq}`));
  const proof = auditProofSchema.parse(await json(`entries/${seq}/proof`));
  const { origin } = parseCheckpoint(parseNote(proof.checkpoint).text);
  const { root, size } = openCheckpoint(proof.checkpoint, await keyOf(origin));
  const leaf = leafHash(Buffer.from(entry.record));
  const path = proof.proof.map((hash) => Buffer.from(hash, 'hex'));
  expect(verifyInclusion({ index: proof.index, size, leaf, proof: path, root })).toBe(true);
  return proof;
}

/** Seqs of the board's events in the epoch of now. */
async function boardSeqs({ first_seq: first }: AuditHealth): Promise<number[]> {
  const seqs: number[] = [];
  for (let after: string | null = String(first); after !== null;) {
    // oxlint-disable-next-line no-await-in-loop -- a page after the other
    const page = auditPageSchema.parse(await json(`days/2026-11-01?limit=500&after=${after}`));
    seqs.push(...page.entries.filter(({ kind }) => kind === 'event').map((entry) => entry.board_seq!));
    after = page.next;
  }
  return seqs;
}

const upTo = (last: number, first: number) => Array.from({ length: last - first + 1 }, (_, at) => first + at);
const decision = { number: 1, action: 'login', outcome: 'done', actor: 'ada', at: '2026-11-02T12:00:00Z' };
const epochOf = (origin: string) => origin.slice(origin.lastIndexOf('/') + 1);
const health = async (): Promise<AuditHealth> => auditHealthSchema.parse(await json('health'));

async function json(path: string): Promise<unknown> {
  const response = await get(path);
  expect([path, response.status]).toEqual([path, 200]);
  return response.json();
}

async function get(path: string): Promise<Response> {
  const identity = { userId: 'u9', name: 'Auditor', roles: ['auditor'], sessionId: 's' };
  return fetch(`${running!.internalUrl}/internal/v1/audit/${path}`, {
    headers: {
      authorization: `Bearer ${await gateway.issue('audit')}`,
      [internalHeaders.identity]: Buffer.from(JSON.stringify(identity)).toString('base64url'),
    },
  });
}

async function post(path: string, as: ServiceTokens, body: object = {}): Promise<Response> {
  return fetch(`${running!.internalUrl}/internal/v1/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await as.issue('audit')}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function stop(): Promise<void> {
  await running?.stop();
  running = undefined;
}

async function onBus<T>(work: (bus: Awaited<ReturnType<typeof connectBus>>) => Promise<T>): Promise<T> {
  const { NATS_URL: url, NATS_TOKEN: token } = infrastructure.env;
  const logger = createLogger({ service: 'test', level: 'silent' });
  const bus = await connectBus({ url, token, name: 'test', logger });
  try {
    return await work(bus);
  } finally {
    await bus.close();
  }
}
