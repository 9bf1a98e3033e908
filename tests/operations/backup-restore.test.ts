import { join } from 'node:path';
import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { AuditHealth } from '@boardwire/contracts';
import { startSite, type Site } from '@boardwire/site';
import { eventually, startTestInfrastructure, testFolder, type TestInfrastructure } from '@boardwire/test-kit';
import { operate } from '../support/operator.ts';
import { call, say, signIn, signInAsGuest, type Person } from '../support/person.ts';
import { StreamRecorder } from '../support/stream-recorder.ts';
import { backupWays } from './support/backups.ts';

const adminPassword = 'administrator-of-tests';
const env = { NODE_ENV: 'test', LOG_LEVEL: 'info', ADMIN_PASSWORD: adminPassword, DRAIN_MS: '300' };

let dataDir: string;
let before: TestInfrastructure;
let site: Site;
const ends: (() => unknown)[] = [];

const start = async (servers: TestInfrastructure): Promise<Site> => {
  const { postgres, nats } = servers;
  const started = await startSite({ dataDir, ports: 'any', postgres, nats, env });
  ends.push(() => started.stop());
  return started;
};

beforeEach(async () => {
  const folder = await testFolder();
  dataDir = join(folder, 'site');
  ends.push(() => rm(folder, { recursive: true, force: true }));
  before = await startTestInfrastructure();
  ends.push(() => before.stop());
}, 60_000);

afterEach(async () => {
  // oxlint-disable-next-line no-await-in-loop -- the last first
  for (const end of ends.splice(0).toReversed()) await end();
}, 30_000);

const follow = (person: Person, lastEventId?: string): StreamRecorder => {
  const url = `${site.publicUrl}/v1/boards/events/stream?subject=AxonChat.lobby`;
  const reader = new StreamRecorder(url, {
    token: person.token,
    ...(lastEventId === undefined ? {} : { lastEventId }),
  });
  ends.push(() => reader.close());
  return reader;
};

const post = async (person: Person, from: number, to: number): Promise<number[]> => {
  const seqs: number[] = [];
  for (let at = from; at <= to; at += 1) {
    // oxlint-disable-next-line no-await-in-loop -- in order
    await eventually(async () => {
      const { status, body } = await say(site.publicUrl, person, `message ${at}`, { id: `post-${at}` });
      expect(status).toBe(201);
      seqs.push(body.seq);
    });
  }
  return seqs;
};

type Placed = Record<string, unknown> & { cursor: string };

const history = async (person: Person): Promise<Placed[]> =>
  (
    await call<{ events: Placed[] }>(`${site.publicUrl}/v1/boards/events/events?subject=AxonChat.lobby&limit=500`, {
      token: person.token,
    })
  ).body.events;

const told = (command: string) => operate([command, '--data', dataDir, '--json']);

describe.each(backupWays)('$name', ({ name, unavailable, backUp, putBack }) => {
  test('brings everything of its time back when Postgres and JetStream are lost, and readers are told the truth', async () => {
    const reason = await unavailable(before);
    if (reason !== undefined) return void process.stdout.write(`not tried with ${name}: ${reason}\n`);
    site = await start(before);
    const ana = await signInAsGuest(site.publicUrl, 'ana');
    await post(ana, 1, 12);
    const reader = follow(ana);
    await reader.until(({ blocks }) => blocks.some(({ event }) => event === 'caught_up'));
    const early = reader.lastEventId!;
    const kept = await history(ana);
    const backup = join(dataDir, '..', 'backup');
    await backUp(before, backup);
    await post(ana, 13, 20);
    await reader.until(({ seqs }) => seqs.length >= 8);
    const late = reader.lastEventId!;

    await site.stop();
    await before.stop();
    const after = await startTestInfrastructure();
    ends.push(() => after.stop());
    await putBack(after, backup);
    site = await start(after);
    expect(await told('restored')).toMatchObject({ code: 0, err: '' });
    const rebuilt = await told('rebuild-stream');
    expect(rebuilt.code).toBe(0);
    const { boards } = JSON.parse(rebuilt.out) as { boards: { board: string; after: number; head: number }[] };
    expect(boards).toContainEqual({ board: 'events', after: 0, head: 12 });

    const admin = await signIn(site.publicUrl, 'admin', adminPassword);
    const unplaced = ({ cursor: _cursor, ...event }: Placed) => event;
    expect((await history(ana)).map(unplaced)).toEqual(kept.map(unplaced));

    const returning = [early, late].map((cursor) => follow(ana, cursor));
    for (const one of returning) {
      // oxlint-disable-next-line no-await-in-loop -- two
      await one.until(({ blocks }) => blocks.some(({ event }) => event === 'reset'));
      expect(one.named('reset')[0]!.id).toMatch(/-12$/);
      expect(one.named('reset')[0]!.id!.split('-')[0]).not.toBe(late.split('-')[0]);
    }
    const newest = await post(ana, 21, 25);
    expect(newest).toEqual([13, 14, 15, 16, 17]);
    for (const one of returning) {
      // oxlint-disable-next-line no-await-in-loop
      await one.until(({ seqs }) => seqs.length >= 5);
      expect(one.seqs).toEqual(newest);
    }
    await eventually(
      async () => {
        const { body } = await call<AuditHealth>(`${site.publicUrl}/v1/audit/health`, { token: admin.token });
        expect(body.boards.find(({ board }) => board === 'events')).toMatchObject({ audited: 17, gaps: 0 });
      },
      { timeoutMs: 20_000 },
    );
  }, 90_000);
});
