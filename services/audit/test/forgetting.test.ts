import { boot } from '@boardwire/audit';
import {
  auditEntrySchema,
  auditHealthSchema,
  auditPageSchema,
  auditProofSchema,
  internalHeaders,
  type AuditEntry,
} from '@boardwire/contracts';
import { provisionSchemas } from '@boardwire/database';
import { ServiceTokens, type Environment, type RunningService } from '@boardwire/service-kit';
import { leafHash, openCheckpoint, parseVerifier, splitHashes, verifyInclusion } from '@boardwire/signing';
import { eventually, startTestInfrastructure, type TestInfrastructure } from '@boardwire/test-kit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ChatStandIn } from './chat-stand-in.ts';

const secret = 's'.repeat(32);
const gateway = new ServiceTokens('gateway', secret);
const dayMs = 86_400_000;
const ago = (days: number) => new Date(Date.now() - days * dayMs).toISOString();

let infrastructure: TestInfrastructure;
let chat: ChatStandIn;
let environment: Environment;
let running: RunningService;
/** Of an event to be redacted, a decision that is due in part, one that is due whole, and one of today. */
let seqs: { event: number; old: number; ancient: number; fresh: number };
let before: Record<keyof typeof seqs, AuditEntry>;

beforeAll(async () => {
  infrastructure = await startTestInfrastructure();
  chat = await ChatStandIn.start(infrastructure, secret);
  const runner = { role: 'boardwire_audit_append', password: 'q', mayBecome: ['boardwire_audit_retention'] };
  const schemas = [{ schema: 'audit', role: 'boardwire_audit', password: 'p', runner }];
  const urls = await provisionSchemas(infrastructure.env.DATABASE_URL, schemas);
  environment = {
    ...infrastructure.env,
    NODE_ENV: 'test',
    LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'silent',
    INTERNAL_SECRET: secret,
    DATABASE_URL: urls['audit/runner'],
    DATABASE_OWNER_URL: urls['audit'],
    CHAT_URL: chat.url,
    AUDIT_DETAIL_DAYS: '30',
    AUDIT_RECORD_DAYS: '365',
    AUDIT_RETENTION_EVERY_MS: '200',
    AUDIT_SCRUB_EVERY_MS: '300',
  };
  running = await boot({ ...environment, AUDIT_LEGAL_HOLD: 'true' });
  await chat.publish('events', 5);
  await decide([ago(40), ago(2_000), ago(0)].map((at, index) => ({ number: index + 1, at })));
  await eventually(async () => expect((await health()).checkpoint?.size).toBe(8));
  await identify();
}, 60_000);
afterAll(async () => {
  await running.stop();
  await chat.close();
  await infrastructure.stop();
});

test('under a legal hold nothing is forgotten, whatever its age and whoever removed it', async () => {
  for (const seq of [3, 2, 4]) chat.remove('events', seq);
  expect(await health()).toMatchObject({ legal_hold: true, retention_days: 365, detail_days: 30 });
  // Several passes of each loop.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  for (const seq of Object.values(seqs)) expect((await entry(seq))?.detail_state).toBe('held');
});

test('without one, what is due goes, and every proof still holds', async () => {
  const { rounds } = (await health()).scrub;
  await running.stop();
  running = await boot(environment);
  await eventually(async () => {
    expect((await entry(seqs.event))?.detail_state).toBe('redacted');
    expect((await entry(seqs.old))?.detail_state).toBe('expired');
    expect(await entry(seqs.ancient)).toBeUndefined();
  });
  await eventually(async () => {
    const { entries } = auditPageSchema.parse(await json('entries?board=events&kind=event&order=oldest'));
    const states = entries.map(({ detail_state: state }) => state);
    expect(states).toEqual(['held', 'redacted', 'redacted', 'redacted', 'held']);
  });
  expect((await entry(seqs.fresh))?.detail).toEqual(before.fresh.detail);
  for (const seq of [seqs.event, seqs.old]) {
    expect(await entry(seq)).toMatchObject({ detail: null });
    expect((await get(`entries/${seq}/disclosure`)).status).toBe(404);
  }
  for (const name of ['event', 'old', 'ancient', 'fresh'] as const) await expectProven(before[name]);
  expect(rounds).toBeGreaterThan(0);
});

test('each step is a decision in the log, that tells what went and not what it was', async () => {
  await eventually(async () => {
    const { entries } = auditPageSchema.parse(await json('latest?limit=50'));
    const own = entries.filter(({ origin }) => origin === 'audit');
    expect(own.map(({ action }) => action).toSorted()).toEqual([
      'audit.detail_expired',
      'audit.detail_redacted',
      'audit.records_dropped',
    ]);
    expect(own.find(({ action }) => action === 'audit.records_dropped')?.detail).toMatchObject({
      data: { day: before.ancient.day, entries: 1 },
    });
    expect(own.find(({ action }) => action === 'audit.detail_redacted')).toMatchObject({ board: 'events' });
  });
});

test('the content is nowhere any more, and the log still is whole', async () => {
  const pages = await Promise.all(
    [
      'latest?limit=500',
      `days/${before.event.day}?limit=500`,
      `days/${before.old.day}`,
      `days/${before.ancient.day}`,
    ].map(async (path) => (await get(path)).text()),
  );
  for (const page of pages) {
    for (const text of ['message 2"', 'message 3"', 'message 4"']) expect(page).not.toContain(text);
    expect(page).not.toContain(`secret of ${before.old.time}`);
    expect(page).not.toContain(before.ancient.record.slice(1, -1));
  }
  expect(pages[0]).toContain('message 5');
  const { rounds } = (await health()).scrub;
  await eventually(async () => expect((await health()).scrub.rounds).toBeGreaterThan(rounds + 1), {
    timeoutMs: 10_000,
  });
  expect((await health()).scrub.findings).toEqual([]);
  const leaf = splitHashes(Buffer.from(await (await get(`tile/0/000.p/8`)).arrayBuffer()))[seqs.ancient];
  expect(leaf?.toString('hex')).toBe(before.ancient.leaf_hash);
  expect((await get('tile/entries/000.p/8')).status).toBe(404);
});

test('an event that comes in behind its removal brings no content', async () => {
  await chat.publish('events', 1);
  await eventually(async () => expect((await health()).boards[0]).toMatchObject({ audited: 6 }));
  chat.remove('events', 6);
  await eventually(async () => {
    const { entries } = auditPageSchema.parse(await json(`days/${before.event.day}?limit=500`));
    expect(entries.find((one) => one.board_seq === 6)?.detail_state).toBe('redacted');
  });
});

test('an entry of a day that was dropped is taken in again', async () => {
  await decide([{ number: 4, at: ago(2_000) }]);
  const { size } = await health();
  await eventually(async () => {
    const { entries } = auditPageSchema.parse(await json('entries?action=audit.records_dropped'));
    expect(entries).toHaveLength(2);
  });
  expect((await health()).size).toBeGreaterThan(size);
});

async function identify(): Promise<void> {
  const { entries } = auditPageSchema.parse(await json('latest?limit=50'));
  const find = (fits: (one: AuditEntry) => boolean) => entries.find(fits)!;
  before = {
    event: find((one) => one.board_seq === 3),
    old: find((one) => one.time === decided[0]),
    ancient: find((one) => one.time === decided[1]),
    fresh: find((one) => one.time === decided[2]),
  };
  const { event, old, ancient, fresh } = before;
  seqs = { event: event.seq, old: old.seq, ancient: ancient.seq, fresh: fresh.seq };
}

const decided: string[] = [];

async function decide(decisions: { number: number; at: string }[]): Promise<void> {
  decided.push(...decisions.map(({ at }) => at));
  const body = decisions.map((one) => ({
    ...one,
    action: 'login',
    outcome: 'refused',
    actor: 'mallory',
    detail: { text: `secret of ${one.at}` },
  }));
  const response = await fetch(`${running.internalUrl}/internal/v1/decisions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await gateway.issue('audit')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ service: 'gateway', decisions: body }),
  });
  expect(response.status).toBe(200);
}

async function expectProven({ seq, record }: AuditEntry): Promise<void> {
  const key = parseVerifier((await (await get('key')).text()).trim());
  const proof = auditProofSchema.parse(await json(`entries/${seq}/proof`));
  const { size, root } = openCheckpoint(proof.checkpoint, key);
  const path = proof.proof.map((hash) => Buffer.from(hash, 'hex'));
  const claim = { index: proof.index, size, leaf: leafHash(Buffer.from(record)), proof: path, root };
  expect(verifyInclusion(claim)).toBe(true);
}

async function entry(seq: number): Promise<AuditEntry | undefined> {
  const response = await get(`entries/${seq}`);
  return response.status === 404 ? undefined : auditEntrySchema.parse(await response.json());
}

const health = async () => auditHealthSchema.parse(await json('health'));

async function json(path: string): Promise<unknown> {
  const response = await get(path);
  expect([path, response.status]).toEqual([path, 200]);
  return response.json();
}

async function get(path: string): Promise<Response> {
  const identity = { userId: 'u9', name: 'Auditor', roles: ['auditor'], sessionId: 's' };
  return fetch(`${running.internalUrl}/internal/v1/audit/${path}`, {
    headers: {
      authorization: `Bearer ${await gateway.issue('audit')}`,
      [internalHeaders.identity]: Buffer.from(JSON.stringify(identity)).toString('base64url'),
    },
  });
}
