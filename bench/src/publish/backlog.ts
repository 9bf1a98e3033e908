import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { limits, syncResponseSchema, type AppendRequest } from '@boardwire/contracts';
import type { Site } from '@boardwire/site';
import { serviceToken } from '../site/bench-site.ts';

export interface Drain {
  events: number;
  appendSeconds: number;
  /** From NATS up to the last event acknowledged. */
  totalSeconds: number;
  /** From the first progress on. */
  drainSeconds: number;
}

const connections = 4;
const drainMaxMs = 120_000;
const pollMs = 5;

/**
 * The relay's own rate: with NATS down the log is the queue; it is filled through chat's internal route, then NATS comes
 * back and chat has the machine to itself. The mark counts, which moves only past a contiguous acknowledged prefix.
 */
export async function drainBacklog(site: Site, events: number, say: (text: string) => void): Promise<Drain> {
  const chatUrl = site.services['chat']!.internalUrl;
  const chat = new Pool(chatUrl, { connections: connections + 1, pipelining: 1 });
  const token = serviceToken(site.internalSecret, 'chat');
  try {
    for (const name of ['gateway', 'audit', 'federation', 'applets']) await site.services[name]?.stop();
    await site.nats.kill();
    const appendFrom = performance.now();
    await append(chat, token, events, say);
    const appendSeconds = (performance.now() - appendFrom) / 1_000;
    const before = await relayed(chat, token);
    const target = before.head;
    const startedAt = performance.now();
    await site.nats.start();
    let firstAt: number | undefined;
    let firstMark = before.relayed;
    for (let mark = before.relayed; mark < target; mark = (await relayed(chat, token)).relayed) {
      const now = performance.now();
      if (firstAt === undefined && mark > before.relayed) {
        firstAt = now;
        firstMark = mark;
      }
      if (now - startedAt > drainMaxMs) throw new Error(`the relay stands at ${mark} of ${target}`);
      await sleep(pollMs);
    }
    const endedAt = performance.now();
    const drainSeconds = (endedAt - (firstAt ?? startedAt)) / 1_000;
    return { events: target - firstMark, appendSeconds, totalSeconds: (endedAt - startedAt) / 1_000, drainSeconds };
  } finally {
    await chat.close();
  }
}

async function append(chat: Pool, token: string, events: number, say: (text: string) => void): Promise<void> {
  const size = limits.appendBatchEventsMax;
  let next = 0;
  let told = performance.now();
  const worker = async (): Promise<void> => {
    while (next < events) {
      const from = next;
      next += size;
      await appendBatch(chat, token, from, Math.min(size, events - from));
      if (performance.now() - told > 2_000) {
        told = performance.now();
        say(`  … ${Math.min(next, events)} of ${events} events wait for the relay`);
      }
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
}

async function appendBatch(chat: Pool, token: string, from: number, count: number): Promise<void> {
  const items: AppendRequest['items'] = Array.from({ length: count }, (_, at) => ({
    id: `backlog-${from + at}`,
    source: '/users/bench',
    type: 'game.score',
    subject: 'GameScore.bench',
    data: { text: 'x'.repeat(160), score: from + at },
    author: 'bench',
    authorname: 'bench',
  }));
  const { statusCode, body } = await chat.request({
    method: 'POST',
    path: '/internal/v1/boards/events/events',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ items }),
  });
  const text = await body.text();
  if (statusCode !== 200 && statusCode !== 201) throw new Error(`append answered ${statusCode}: ${text.slice(0, 500)}`);
}

async function relayed(chat: Pool, token: string): Promise<{ head: number; relayed: number }> {
  const { body } = await chat.request({
    method: 'GET',
    path: '/internal/v1/sync',
    headers: { authorization: `Bearer ${token}` },
  });
  const { boards } = syncResponseSchema.parse(await body.json());
  const board = boards.find(({ slug }) => slug === 'events');
  if (board === undefined) throw new Error('chat knows no board events');
  return board;
}
