import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { StoredEvent } from '@boardwire/contracts';
import { eventually } from '@boardwire/test-kit';
import pg from 'pg';
import { ChatSite, event, type ChatReplica } from './chat-site.ts';

/** With the owner of every file: Postgres runs as another user. */
const copy = (from: string, to: string) => promisify(execFile)('cp', ['-a', from, to]);

let site: ChatSite;
let chat: ChatReplica;
let other: ChatReplica;

beforeEach(async () => {
  site = await ChatSite.start();
  [chat, other] = await Promise.all([site.replica(), site.replica()]);
}, 60_000);

afterEach(() => site?.stop(), 30_000);

const boardAt = async (replica: ChatReplica) => (await replica.sync()).boards.find(({ slug }) => slug === 'events')!;

async function append(count: number, subject?: string): Promise<void> {
  const items = Array.from({ length: count }, () => event(subject === undefined ? {} : { subject }));
  await chat.outcomes('events', items);
}

/** Repeats one event until it is accepted, as a client does. */
const accepting = (id: string) =>
  eventually(async () => expect((await chat.append('events', [event({ id })])).status).toBe(200), {
    timeoutMs: 10_000,
  });

describe('a backup put back while chat runs on', () => {
  it('begins a new epoch, and files new subjects where they belong', async () => {
    const { postgres, nats, folder } = site.infrastructure;
    await append(5);
    await postgres.stop();
    await copy(join(folder, 'postgres'), join(folder, 'backup'));
    await postgres.start();
    await accepting('before');
    await append(20, 'GameScore.lost');
    await eventually(async () => expect((await boardAt(chat)).relayed).toBe(26));
    const before = await boardAt(chat);
    await nats.kill();
    await postgres.stop();
    await rm(join(folder, 'postgres'), { recursive: true });
    await copy(join(folder, 'backup'), join(folder, 'postgres'));
    await postgres.start();
    await accepting('after');
    await append(3, 'SystemAlert.first');
    await append(3, 'GameScore.lost');
    for (const replica of [chat, other]) {
      await eventually(
        async () => {
          const now = await boardAt(replica);
          expect(now.epoch).not.toBe(before.epoch);
          expect(now.head).toBe(12);
        },
        { timeoutMs: 10_000 },
      );
    }
    const log = await chat.log('events');
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_, at) => at + 1));
    for (const item of log) expect((JSON.parse(item.body!) as StoredEvent).subject).toBe(item.subject);
    await nats.start();
    await eventually(async () => expect((await boardAt(chat)).relayed).toBe(12), { timeoutMs: 10_000 });
  }, 90_000);
});

describe('a backup put back while chat and NATS were down', () => {
  it('begins a new epoch also when the log has grown past what it lost before the mirror is seen again', async () => {
    const { postgres, nats } = site.infrastructure;
    await append(10);
    await eventually(async () => expect((await boardAt(chat)).relayed).toBe(10));
    const before = await boardAt(chat);
    await Promise.all([chat.service.stop(), other.service.stop()]);
    await nats.kill();
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    await client.query(`DELETE FROM chat.event WHERE seq > 6; UPDATE chat.board_head SET seq = 6 WHERE seq = 10;
      UPDATE chat.relay_mark SET seq = 6 WHERE seq = 10`);
    await client.end();
    chat = await site.replica();
    await append(8);
    expect(await boardAt(chat)).toMatchObject({ epoch: before.epoch, head: 14 });
    await nats.start();
    await eventually(async () => expect((await boardAt(chat)).epoch).not.toBe(before.epoch), { timeoutMs: 10_000 });
    await eventually(async () => expect((await boardAt(chat)).relayed).toBe(14), { timeoutMs: 10_000 });
  }, 60_000);
});

describe('a backup put back while the mirror was lost as well', () => {
  it('begins a new epoch when a follower says how much more it has stored; others are not believed', async () => {
    await append(10);
    const before = await boardAt(chat);
    const noted = (seq: number, caller: string) =>
      chat.call('PUT', '/internal/v1/follower-marks', {
        caller,
        json: { marks: [{ board: 'events', epoch: before.epoch, seq }] },
      });
    expect((await noted(10, 'audit')).status).toBe(204);
    expect((await noted(11, 'gateway')).status).toBe(204);
    expect((await boardAt(chat)).epoch).toBe(before.epoch);
    expect((await noted(11, 'audit')).status).toBe(204);
    await eventually(async () => expect((await boardAt(other)).epoch).not.toBe(before.epoch));
    const after = await boardAt(chat);
    // Told once more of the former epoch: that is over.
    expect((await noted(11, 'audit')).status).toBe(204);
    expect((await boardAt(chat)).epoch).toBe(after.epoch);
  });

  it('begins a new epoch when the operator says so', async () => {
    const before = await boardAt(chat);
    expect((await chat.call('POST', '/internal/v1/restored', { caller: 'audit' })).status).toBe(403);
    expect((await chat.call('POST', '/internal/v1/restored', { caller: 'operator' })).status).toBe(204);
    expect((await boardAt(chat)).epoch).not.toBe(before.epoch);
  });
});
