import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { boardsStream, type AppendItem, type StoredEvent } from '@boardwire/contracts';
import { connectBus } from '@boardwire/messaging';
import { eventually } from '@boardwire/test-kit';
import pg from 'pg';
import { ChatSite, event, type ChatReplica } from './chat-site.ts';

let site: ChatSite;
let chat: ChatReplica;
let other: ChatReplica;

beforeEach(async () => {
  site = await ChatSite.start();
  [chat, other] = await Promise.all([site.replica(), site.replica()]);
}, 60_000);

afterEach(() => site?.stop(), 30_000);

/** Publishes without pause, and repeats what was refused with the same ids, as a gateway's client does. */
class Publisher {
  readonly accepted = new Map<string, number>();
  readonly statuses = new Map<number, number>();
  slowestMs = 0;
  #isStopped = false;
  readonly #done: Promise<void>;

  constructor(
    private readonly replica: ChatReplica,
    private readonly name: string,
  ) {
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#done;
  }

  async #run(): Promise<void> {
    for (let round = 0; !this.#isStopped; round += 1) {
      const items = Array.from({ length: 5 }, (_, n) => event({ id: `${this.name}-${round}-${n}` }));
      while (!(await this.#publish(items))) await sleep(20);
    }
  }

  async #publish(items: AppendItem[]): Promise<boolean> {
    const began = performance.now();
    const { status, body } = await this.replica.append('events', items);
    this.slowestMs = Math.max(this.slowestMs, performance.now() - began);
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    if (status !== 200) {
      expect(status).toBe(503);
      return false;
    }
    for (const outcome of (body as unknown as { outcomes: { id: string; seq: number }[] }).outcomes) {
      this.accepted.set(outcome.id, outcome.seq);
    }
    return true;
  }
}

async function expectWhole(publishers: readonly Publisher[]): Promise<void> {
  const log = await chat.log('events');
  expect(log.map(({ seq }) => seq)).toEqual(log.map((_, at) => at + 1));
  const stored = log.map((item) => (JSON.parse(item.body!) as StoredEvent).id);
  expect(new Set(stored).size).toBe(stored.length);
  for (const { accepted } of publishers) {
    for (const [id, seq] of accepted) expect(stored[seq - 1]).toBe(id);
  }
}

const publishers = () => [chat, other, chat, other].map((replica, at) => new Publisher(replica, `p${at}`));

async function whenAccepting(all: readonly Publisher[]): Promise<void> {
  const before = all.map(({ accepted }) => accepted.size);
  await eventually(() => all.forEach(({ accepted }, at) => expect(accepted.size).toBeGreaterThan(before[at]! + 20)), {
    timeoutMs: 15_000,
  });
}

async function query(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: site.infrastructure.postgres.url });
  await client.connect();
  await client.query(sql);
  await client.end();
}

const mirroredHead = async (bus: Awaited<ReturnType<typeof connectBus>>) => {
  const last = await bus.streams.lastBySubject(boardsStream.name, 'board.events.>');
  return Number(last?.headers.get('Board-Seq') ?? 0);
};

const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
const openBus = () => {
  const { NATS_URL: url, NATS_TOKEN: token } = site.infrastructure.env;
  return connectBus({ url, token, name: 'test', logger });
};

describe('Postgres', () => {
  it('restarted and crashed under load costs refusals and no accepted event', async () => {
    const all = publishers();
    await whenAccepting(all);
    await site.infrastructure.postgres.restart();
    await whenAccepting(all);
    await site.infrastructure.postgres.kill();
    await eventually(async () => expect(await chat.isReady()).toBe(false));
    await eventually(() => expect(all[0]!.statuses.get(503) ?? 0).toBeGreaterThan(0));
    await site.infrastructure.postgres.start();
    await whenAccepting(all);
    await Promise.all(all.map((publisher) => publisher.stop()));
    await expectWhole(all);
    await eventually(async () => expect(await chat.isReady()).toBe(true));
    const bus = await openBus();
    const { length } = await chat.log('events');
    await eventually(async () => expect(await mirroredHead(bus)).toBe(length), { timeoutMs: 10_000 });
    await bus.close();
  }, 60_000);

  it('cutting connections in the middle of commits leaves no hole and stores nothing twice', async () => {
    const all = publishers();
    await whenAccepting(all);
    for (let round = 0; round < 25; round += 1) {
      await query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'boardwire_chat'");
      await sleep(round % 5);
    }
    await whenAccepting(all);
    await Promise.all(all.map((publisher) => publisher.stop()));
    await expectWhole(all);
    expect(all.some(({ statuses }) => (statuses.get(503) ?? 0) > 0)).toBe(true);
  }, 60_000);

  it('frozen, refuses within about two seconds with a code that tells to repeat', async () => {
    await chat.outcomes('events', [event()]);
    await site.infrastructure.postgres.pause();
    const began = performance.now();
    const answers = await Promise.all([chat.append('events', [event()]), chat.append('events', [event()])]);
    expect(performance.now() - began).toBeLessThan(3_000);
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 503, body: { code: 'database_unavailable' } });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    await site.infrastructure.postgres.resume();
    await eventually(async () => expect((await chat.append('events', [event()])).status).toBe(200), {
      timeoutMs: 10_000,
    });
    const log = await chat.log('events');
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_, at) => at + 1));
  }, 60_000);
});

describe('the leader of the relay', () => {
  it('stopped under load is followed by the other replica, and the mirror ends with every event', async () => {
    const survivor = [new Publisher(other, 'a'), new Publisher(other, 'b')];
    await whenAccepting(survivor);
    await chat.service.stop();
    await whenAccepting(survivor);
    await Promise.all(survivor.map((publisher) => publisher.stop()));
    const { length } = await other.log('events');
    const bus = await openBus();
    await eventually(async () => expect(await mirroredHead(bus)).toBe(length), { timeoutMs: 10_000 });
    const info = await bus.streams.info(boardsStream.name);
    expect(info!.messages).toBe(length);
    await bus.close();
  }, 60_000);

  it('republishes nothing twice into a stream that was cut off in the middle', async () => {
    const all = publishers();
    await whenAccepting(all);
    await site.infrastructure.nats.kill();
    await whenAccepting(all);
    await site.infrastructure.nats.start();
    await whenAccepting(all);
    await Promise.all(all.map((publisher) => publisher.stop()));
    const { length } = await chat.log('events');
    const bus = await openBus();
    await eventually(async () => expect(await mirroredHead(bus)).toBe(length), { timeoutMs: 15_000 });
    await eventually(async () => expect(await chat.metric('boardwire_relay_backlog_events')).toBe(0));
    expect((await bus.streams.info(boardsStream.name))!.messages).toBe(length);
    await bus.close();
  }, 60_000);
});

describe('a new epoch begins', () => {
  const epochOf = async () => (await chat.sync()).boards.find(({ slug }) => slug === 'events')!;

  it('when the log has lost events that the mirror holds', async () => {
    await chat.outcomes(
      'events',
      Array.from({ length: 10 }, () => event()),
    );
    await eventually(async () => expect((await epochOf()).relayed).toBe(10));
    const before = await epochOf();
    // As a restored backup would: back to seq 6.
    await query(`DELETE FROM chat.event WHERE seq > 6; UPDATE chat.board_head SET seq = 6 WHERE seq = 10;
      UPDATE chat.relay_mark SET seq = 6 WHERE seq = 10`);
    await Promise.all([chat.service.stop(), other.service.stop()]);
    chat = await site.replica();
    await eventually(async () => {
      const now = await epochOf();
      expect(now).toMatchObject({ epochOrdinal: before.epochOrdinal + 1, head: 6 });
      expect(now.epoch).not.toBe(before.epoch);
    });
    const [outcome] = await chat.outcomes('events', [event()]);
    expect(outcome).toMatchObject({ seq: 7, epoch: (await epochOf()).epoch });
  }, 60_000);

  it('on every board when the Postgres is another one', async () => {
    const before = await epochOf();
    await query("UPDATE chat.site SET timeline = '00000000'");
    const restarted = await site.replica();
    const boards = (await restarted.sync()).boards;
    expect(boards.map(({ epochOrdinal }) => epochOrdinal)).toEqual(boards.map(() => before.epochOrdinal + 1));
    await eventually(async () => expect((await epochOf()).epochOrdinal).toBe(before.epochOrdinal + 1));
  }, 60_000);
});
