import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { auditMigrations } from '../src/database/migrations.ts';
import { openDatabase, provisionSchemas, type Database } from '@boardwire/database';
import { createLogger } from '@boardwire/service-kit';
import { treeRoot } from '@boardwire/signing';
import { eventually, seededRandom, startTestInfrastructure, type TestInfrastructure } from '@boardwire/test-kit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { hashReader } from '../src/log/hash-reader.ts';
import { ChatStandIn } from './chat-stand-in.ts';

const secret = 's'.repeat(32);
const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));

const rounds = process.env['BOARDWIRE_TEST_TIER'] === 'long' ? 60 : 6;

let infrastructure: TestInfrastructure;
let chat: ChatStandIn;
let database: Database;
let environment: Record<string, string>;

beforeAll(async () => {
  infrastructure = await startTestInfrastructure();
  chat = await ChatStandIn.start(infrastructure, secret);
  const schemas = [{ schema: 'audit', role: 'boardwire_audit', password: 'p' }];
  const urls = await provisionSchemas(infrastructure.env.DATABASE_URL, schemas);
  const logger = createLogger({ service: 'test', level: 'silent' });
  database = await openDatabase({ url: urls['audit']!, schema: 'audit', migrations: auditMigrations, logger });
  environment = {
    ...infrastructure.env,
    PATH: process.env['PATH'] ?? '',
    LOG_LEVEL: 'info',
    INTERNAL_SECRET: secret,
    DATABASE_URL: urls['audit']!,
    CHAT_URL: chat.url,
  };
});
afterAll(async () => {
  await database.close();
  await chat.close();
  await infrastructure.stop();
});

test('a process killed again and again, and always two at once: each event once, and every signed root holds', async () => {
  const random = seededRandom();
  const replicas: [Replica, Replica] = [start(), start()];
  let published = 0;
  try {
    for (let round = 0; round < rounds; round += 1) {
      const before = await entries();
      const count = random.integer(500, 3_000);
      await chat.publish('events', count);
      published += count;
      // On a busy machine a process takes long to start; what is bounded is what one that has started takes.
      await Promise.race(replicas.map(({ started }) => started));
      await eventually(async () => expect(await entries()).toBeGreaterThan(before), { timeoutMs: 15_000, everyMs: 5 });
      const victim = round % 2;
      replicas[victim]!.process.kill('SIGKILL');
      await once(replicas[victim]!.process, 'exit');
      replicas[victim] = start();
    }
    await eventually(async () => expect(await entries()).toBe(published), { timeoutMs: 20_000, everyMs: 50 });
    await eventually(async () => expect((await checkpoints()).at(-1)?.size).toBe(published), { timeoutMs: 10_000 });
  } finally {
    await Promise.all(replicas.map(({ process: child }) => ended(child)));
  }
  const rows = await database.query<{ board_seq: number }>('SELECT board_seq FROM entry ORDER BY seq');
  expect(rows.map((row) => row.board_seq)).toEqual(Array.from({ length: published }, (_, at) => at + 1));
  expect(await database.query('SELECT * FROM gap')).toEqual([]);
  for (const { size, root } of await checkpoints()) expect(await treeRoot(size, hashReader(database))).toEqual(root);
}, 600_000);

interface Replica {
  process: ChildProcess;
  started: Promise<void>;
}

function start(): Replica {
  const child = spawn(process.execPath, [main], { env: environment, stdio: ['ignore', 'pipe', 'ignore'] });
  const started = new Promise<void>((resolve) => {
    child.stdout.on('data', (text: Buffer) => {
      if (text.includes('service.started')) resolve();
    });
  });
  return { process: child, started };
}

async function entries(): Promise<number> {
  const [row] = await database.query<{ size: number }>('SELECT size FROM tree');
  return row?.size ?? 0;
}

const checkpoints = () =>
  database.query<{ size: number; root: Buffer }>('SELECT size, root FROM checkpoint ORDER BY size');

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
