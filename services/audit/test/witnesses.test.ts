import { boot } from '@boardwire/audit';
import {
  auditConsistencySchema,
  auditHealthSchema,
  auditProofSchema,
  internalHeaders,
  newestCheckpointSchema,
  type AuditHealth,
  type NewestCheckpoint,
} from '@boardwire/contracts';
import { provisionSchemas } from '@boardwire/database';
import { ServiceTokens, type Environment, type RunningService } from '@boardwire/service-kit';
import {
  cosignatureLine,
  cosigner,
  formatCosignatureVerifier,
  generateSigningKey,
  openCheckpoint,
  openCosignatures,
  parseTlogProof,
  parseVerifier,
  verifyConsistency,
  type Cosigner,
} from '@boardwire/signing';
import { eventually, startTestInfrastructure, type TestInfrastructure } from '@boardwire/test-kit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { ChatStandIn } from './chat-stand-in.ts';

const secret = 's'.repeat(32);
const gateway = new ServiceTokens('gateway', secret);
const federation = new ServiceTokens('federation', secret);
const [ada, bea] = ['ada', 'bea'].map((name) => cosigner(`boardwire/witness/${name}`, generateSigningKey())) as [
  Cosigner,
  Cosigner,
];

let infrastructure: TestInfrastructure;
let superuser: pg.Client;
let environment: Environment;
let chat: ChatStandIn;
let running: RunningService;

beforeAll(async () => {
  infrastructure = await startTestInfrastructure();
  superuser = new pg.Client({ connectionString: infrastructure.env.DATABASE_URL });
  await superuser.connect();
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
}, 60_000);
afterAll(async () => {
  await running?.stop();
  await chat?.close();
  await superuser?.end();
  await infrastructure?.stop();
});

async function call(path: string, { as = federation, body }: { as?: ServiceTokens; body?: object } = {}) {
  const authorization = `Bearer ${await as.issue('audit')}`;
  const sent =
    body === undefined
      ? { headers: { authorization } }
      : {
          method: 'POST',
          headers: { authorization, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        };
  return fetch(`${running.internalUrl}/internal/v1/${path}`, sent);
}

async function read(path: string): Promise<Response> {
  const identity = { userId: 'u9', name: 'Auditor', roles: ['auditor'], sessionId: 's' };
  return fetch(`${running.internalUrl}/internal/v1/audit/${path}`, {
    headers: {
      authorization: `Bearer ${await gateway.issue('audit')}`,
      [internalHeaders.identity]: Buffer.from(JSON.stringify(identity)).toString('base64url'),
    },
  });
}

const text = async (path: string) => (await read(path)).text();
const health = async (): Promise<AuditHealth> => auditHealthSchema.parse(await (await read('health')).json());
const newest = async (): Promise<NewestCheckpoint> =>
  newestCheckpointSchema.parse(await (await call('witnesses/checkpoint')).json());

/** More events, and the checkpoint that covers them all. */
async function grown(count: number): Promise<NewestCheckpoint> {
  await chat.publish('events', count);
  const audited = chat.head('events');
  await eventually(async () => expect((await health()).boards).toContainEqual(expect.objectContaining({ audited })), {
    timeoutMs: 15_000,
  });
  // Read behind that: one answer may have its size from before a batch, and its boards from after it.
  const { size } = await health();
  return eventually(
    async () => {
      const checkpoint = await newest();
      expect(checkpoint.size).toBeGreaterThanOrEqual(size);
      return checkpoint;
    },
    { timeoutMs: 15_000 },
  );
}

const now = () => Math.floor(Date.now() / 1_000);

/** What a witness that has seen this checkpoint says. */
const word = ({ epoch, size, checkpoint }: NewestCheckpoint, witness: Cosigner, at = now()) => ({
  epoch,
  size,
  witness: formatCosignatureVerifier(witness),
  cosignature: cosignatureLine(checkpoint, witness, at),
});

const keep = async (body: object) => (await call('witnesses/cosignatures', { body })).status;
const namesOn = (note: string) => openCosignatures(note, [ada, bea]).map(({ name }) => name);

test('a cosignature is kept with its checkpoint, and only one that verifies', async () => {
  const checkpoint = await grown(20);
  const good = word(checkpoint, ada);
  expect((await call('witnesses/checkpoint', { as: gateway })).status).toBe(403);
  expect((await call('witnesses/cosignatures', { as: gateway, body: good })).status).toBe(403);
  const wrong = [
    { ...good, witness: formatCosignatureVerifier(bea) },
    { ...good, witness: formatCosignatureVerifier(cosigner(ada.name, generateSigningKey())) },
    { ...good, cosignature: `${good.cosignature}${word(checkpoint, bea).cosignature}` },
    { ...good, cosignature: good.cosignature.trimEnd() },
    { ...good, cosignature: 'nothing\n' },
    word(checkpoint, ada, 0),
    word(checkpoint, ada, now() + 7_200),
    { ...good, witness: 'nobody' },
  ];
  for (const body of wrong) expect(await keep(body)).toBe(400);
  expect(await keep({ ...good, size: checkpoint.size + 1_000 })).toBe(404);
  expect((await health()).witnesses).toEqual([]);
  expect((await read('checkpoint?witnesses=1')).status).toBe(404);

  expect(await keep(good)).toBe(204);
  expect(await keep(good)).toBe(204);
  const note = await text(`checkpoint?size=${checkpoint.size}`);
  expect(note).toBe(checkpoint.checkpoint + good.cosignature);
  expect(openCheckpoint(note, parseVerifier(checkpoint.key))).toMatchObject({ size: checkpoint.size });
  // What is brought to the next witness is what the log has signed.
  expect((await newest()).checkpoint).toBe(checkpoint.checkpoint);
  const { size, epoch } = checkpoint;
  expect((await health()).witnesses).toEqual([
    { name: ada.name, key: good.witness, size, epoch, at: expect.any(String), ageMs: expect.any(Number) },
  ]);
});

test('readers get the newest checkpoint that enough have cosigned, and proofs that end in it', async () => {
  const [first, second] = [await newest(), await grown(15)];
  await keep(word(first, ada));
  await keep(word(first, bea));
  await keep(word(second, ada));
  const third = await grown(5);
  expect(namesOn(await text('checkpoint'))).toEqual([]);
  expect(namesOn(await text('checkpoint?witnesses=1'))).toEqual([ada.name]);
  expect(await text('checkpoint?witnesses=1')).toContain(`\n${second.size}\n`);
  expect(namesOn(await text('checkpoint?witnesses=2'))).toEqual([ada.name, bea.name]);
  expect((await read('checkpoint?witnesses=3')).status).toBe(404);
  const proof = auditProofSchema.parse(await (await read('entries/3/proof?witnesses=2')).json());
  expect([proof.size, namesOn(proof.checkpoint)]).toEqual([first.size, [ada.name, bea.name]]);
  expect(namesOn(parseTlogProof(await text('entries/3/tlog-proof?witnesses=1')).checkpoint)).toEqual([ada.name]);
  expect((await read(`entries/${third.size - 1}/proof?witnesses=1`)).status).toBe(404);
  expect((await read('entries/3/proof?witnesses=all')).status).toBe(400);
  const path = `witnesses/consistency?from=${first.size}&to=${third.size}&epoch=${third.epoch}`;
  const consistency = auditConsistencySchema.parse(await (await call(path)).json());
  const [from, to] = [first, third].map(({ checkpoint, key }) => openCheckpoint(checkpoint, parseVerifier(key)));
  const claim = { from: from!.size, to: to!.size, fromRoot: from!.root, toRoot: to!.root };
  expect(verifyConsistency({ ...claim, proof: consistency.proof.map((hash) => Buffer.from(hash, 'hex')) })).toBe(true);
});

test('what was cosigned outlives the epoch, and the next one is cosigned under its own name', async () => {
  const former = await newest();
  await keep(word(former, bea));
  await running.stop();
  await superuser.query(`UPDATE audit.tree SET system_identifier = '1'`);
  running = await boot(environment);
  const next = await grown(5);
  expect(next.epoch).not.toBe(former.epoch);
  expect(namesOn(await text(`checkpoint?epoch=${former.epoch}&witnesses=1`))).toEqual([bea.name]);
  expect((await read('checkpoint?witnesses=1')).status).toBe(404);
  expect(await keep({ ...word(next, ada), epoch: former.epoch })).toBe(404);
  expect(await keep(word(next, ada))).toBe(204);
  expect(namesOn(await text('checkpoint?witnesses=1'))).toEqual([ada.name]);
  const seen = Object.fromEntries((await health()).witnesses.map(({ name, epoch, size }) => [name, { epoch, size }]));
  expect(seen).toEqual({
    [ada.name]: { epoch: next.epoch, size: next.size },
    [bea.name]: { epoch: former.epoch, size: former.size },
  });
  await eventually(
    async () => {
      const scrape = await (await fetch(`${running.internalUrl}/metrics`)).text();
      expect(scrape).toMatch(/^boardwire_audit_witnesses 2$/m);
      expect(scrape).toMatch(/^boardwire_audit_cosigned_age_seconds \d/m);
    },
    { timeoutMs: 15_000 },
  );
});
