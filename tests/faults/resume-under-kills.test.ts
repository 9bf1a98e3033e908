import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { seededRandom, SseReader, WsReader, type SeededRandom } from '@boardwire/test-kit';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, type Person } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

type Frame = Record<string, unknown> & { type: string };

const isLong = process.env['BOARDWIRE_TEST_TIER'] === 'long';
const schedules = isLong ? 24 : 1;

let site: TestSite;
let admin: Person;

beforeAll(async () => {
  // Rings that roll over: what a restarted gateway replays comes from chat.
  site = await startTestSite({ mode: 'processes', gateways: 2, env: { HEARTBEAT_MS: '300', RING_EVENTS_MAX: '200' } });
  admin = await site.admin();
}, 120_000);
afterAll(async () => {
  await site?.stop();
}, 60_000);

const gatewayNames = () => Object.keys(site.site.services).filter((name) => name.startsWith('gateway'));
const addresses = () => gatewayNames().map((name) => site.site.services[name]!.publicUrl!);
const seqOf = (cursor: string) => Number(cursor.split('-')[1]);

/** Posts until it is told to stop; what is not answered is repeated with the same id, anywhere. */
class Publisher {
  readonly accepted: number[] = [];
  #isStopped = false;
  readonly #done: Promise<void>;

  constructor(
    private readonly board: string,
    private readonly name: string,
    private readonly random: SeededRandom,
  ) {
    this.#done = this.#run();
  }

  stop(): Promise<void> {
    this.#isStopped = true;
    return this.#done;
  }

  async #run(): Promise<void> {
    for (let at = 0; !this.#isStopped; at += 1) {
      const subject = this.random.pick(['load.a', 'load.b', 'load.c.d', 'quiet']);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await this.#post({ id: `${this.name}-${at}`, subject, type: this.random.pick(['tick', 'tock']), data: { at } });
      // oxlint-disable-next-line no-await-in-loop
      await sleep(this.random.integer(0, 20));
    }
  }

  async #post(json: object): Promise<void> {
    for (let attempt = 0; attempt < 400; attempt += 1) {
      const url = `${this.random.pick(addresses())}/v1/boards/${this.board}/events`;
      // oxlint-disable-next-line no-await-in-loop -- until it is taken
      const answer = await call<{ seq: number }>(url, { token: admin.token, json }).catch(() => undefined);
      if (answer !== undefined && answer.status < 300) return void this.accepted.push(answer.body.seq);
      // oxlint-disable-next-line no-await-in-loop
      await sleep(50);
    }
    throw new Error(`never accepted: ${JSON.stringify(json)}`);
  }
}

interface Wish {
  subjects: string[];
  types: string[];
  /** `start`, a cursor, or live. */
  after: string | undefined;
}

/** Follows over one transport, comes back to any gateway with its cursor, and keeps what it was told. */
abstract class Follower {
  readonly seqs: number[] = [];
  readonly resets: string[] = [];
  connects = 0;
  /** Where its first connection began. */
  from: number | undefined;
  protected cursor: string | undefined;
  #isStopped = false;
  readonly #done: Promise<void>;

  constructor(
    readonly board: string,
    readonly wish: Wish,
    protected readonly random: SeededRandom,
  ) {
    this.cursor = wish.after;
    this.#done = Promise.resolve().then(() => this.#run());
  }

  abstract cut(): void;
  protected abstract readOnce(url: string): Promise<void>;

  get reached(): number {
    return this.cursor === undefined || this.cursor === 'start' ? 0 : seqOf(this.cursor);
  }

  stop(): Promise<void> {
    this.#isStopped = true;
    this.cut();
    return this.#done;
  }

  protected told(cursor: string | undefined, kind: string): void {
    if (kind === 'reset') this.resets.push(String(cursor));
    if (cursor === undefined) return;
    this.from ??= seqOf(cursor);
    if (kind === 'event') this.seqs.push(seqOf(cursor));
    this.cursor = cursor;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      this.connects += 1;
      // oxlint-disable-next-line no-await-in-loop -- one connection after the other
      await this.readOnce(this.random.pick(addresses())).catch(() => undefined);
      // oxlint-disable-next-line no-await-in-loop
      await sleep(this.random.integer(10, 150));
    }
  }
}

class SseFollower extends Follower {
  #reader: SseReader | undefined;

  cut(): void {
    this.#reader?.close();
  }

  protected async readOnce(url: string): Promise<void> {
    const { subjects, types } = this.wish;
    const query = new URLSearchParams([
      ...subjects.map((it) => ['subject', it]),
      ...types.map((it) => ['type', it]),
    ] as [string, string][]);
    if (this.cursor !== undefined) query.set('after', this.cursor);
    const reader = await SseReader.open(`${url}/v1/boards/${this.board}/stream?${query.toString()}`, {
      token: admin.token,
    });
    this.#reader = reader;
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- block by block
      const { id, event, data } = await reader.next({ timeoutMs: 60_000 });
      if (event === 'resumed' || event === 'reset' || event === 'caught_up') this.told(id, event);
      else if (event === undefined) this.told(id, data === undefined ? 'heartbeat' : 'event');
    }
  }
}

class WsFollower extends Follower {
  #reader: WsReader<Frame> | undefined;

  cut(): void {
    this.#reader?.terminate();
  }

  protected async readOnce(url: string): Promise<void> {
    const reader = await WsReader.open<Frame>(`${url.replace('http', 'ws')}/v1/ws`, { protocols: ['boardwire.v1'] });
    this.#reader = reader;
    const { subjects, types } = this.wish;
    reader.send({ type: 'auth', token: admin.token });
    reader.send({
      type: 'subscribe',
      sub: 's',
      board: this.board,
      subjects,
      ...(types.length > 0 && { types }),
      ...(this.cursor !== undefined && { after: this.cursor }),
    });
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- frame by frame
      const frame = await reader.next({ timeoutMs: 60_000 });
      const cursor =
        frame.type === 'heartbeat' ? (frame['cursors'] as { s?: string }).s : (frame['cursor'] as string | undefined);
      // Its subscription has ended, the socket has not.
      if (frame.type === 'fail') return reader.terminate();
      if (['resumed', 'reset', 'caught_up', 'event', 'heartbeat'].includes(frame.type)) this.told(cursor, frame.type);
    }
  }
}

/** The log itself, page by page. */
async function historyOf(board: string, { subjects, types }: Wish, after: number, epoch: string): Promise<number[]> {
  const seqs: number[] = [];
  let next: string | null = `${epoch}-${after}`;
  while (next !== null) {
    const query = new URLSearchParams([
      ...subjects.map((it) => ['subject', it]),
      ...types.map((it) => ['type', it]),
      ['after', next],
      ['limit', '500'],
    ] as [string, string][]);
    // oxlint-disable-next-line no-await-in-loop -- page by page
    const page = await call<{ events: { cursor: string }[]; next: string | null }>(
      `${site.url}/v1/boards/${board}/events?${query.toString()}`,
      { token: admin.token },
    );
    expect(page.status).toBe(200);
    seqs.push(...page.body.events.map(({ cursor }) => seqOf(cursor)));
    next = page.body.next;
  }
  return seqs;
}

async function misfortune(random: SeededRandom, followers: readonly Follower[]): Promise<string> {
  const { nats } = site.infrastructure;
  const what = random.pick(['gateway', 'gateway', 'nats', 'stream', 'cuts', 'cuts', 'drain', 'calm'] as const);
  const service = site.site.services[random.pick(gatewayNames())]!;
  if (what === 'gateway') {
    await service.kill();
    await sleep(random.integer(0, 500));
    await service.start();
  } else if (what === 'drain') {
    await service.stop();
    await service.start();
  } else if (what === 'nats') {
    await nats.kill();
    await sleep(random.integer(0, 900));
    await nats.start();
  } else if (what === 'stream') await site.deleteStream();
  else if (what === 'cuts') for (const follower of followers) if (random.integer(0, 1) === 0) follower.cut();
  await sleep(random.integer(50, 500));
  return what;
}

const wishes: Pick<Wish, 'subjects' | 'types'>[] = [
  { subjects: ['>'], types: [] },
  { subjects: ['load.*'], types: [] },
  { subjects: ['load.>'], types: ['tick'] },
  { subjects: ['*.c.*', 'quiet'], types: [] },
  { subjects: ['quiet'], types: ['tock'] },
];

async function runSchedule(number: number, random: SeededRandom): Promise<string[]> {
  const board = `kills-${number}`;
  const created = await call<{ epoch: string }>(`${site.url}/v1/boards`, {
    token: admin.token,
    json: { slug: board, title: board },
  });
  expect(created.status).toBe(201);
  const publishers = ['p', 'q', 'r'].map((name) => new Publisher(board, name, random.fork()));
  const followers = Array.from({ length: 8 }, (_, at) => {
    const wish: Wish = { ...random.pick(wishes), after: random.pick([undefined, 'start']) };
    return at % 2 === 0 ? new SseFollower(board, wish, random.fork()) : new WsFollower(board, wish, random.fork());
  });
  const happened: string[] = [];
  try {
    for (let left = random.integer(3, 6); left > 0; left -= 1) {
      // oxlint-disable-next-line no-await-in-loop -- one misfortune after the other
      happened.push(await misfortune(random, followers));
    }
    await Promise.all(publishers.map((publisher) => publisher.stop()));
    const accepted = publishers.flatMap((publisher) => publisher.accepted);
    const last = Math.max(...accepted);
    const deadline = Date.now() + 20_000;
    // oxlint-disable-next-line no-await-in-loop -- heartbeats carry everybody to the end
    while (followers.some(({ reached }) => reached < last) && Date.now() < deadline) await sleep(20);
    expect(new Set(accepted).size).toBe(accepted.length);
    for (const follower of followers) {
      const { wish, from, seqs, resets, connects } = follower;
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const expected = await historyOf(board, wish, from ?? 0, created.body.epoch);
      expect({ happened, wish, connects, reached: follower.reached, resets, seqs }).toEqual({
        happened,
        wish,
        connects,
        reached: last,
        resets: [],
        seqs: expected,
      });
    }
  } finally {
    await Promise.all(followers.map((follower) => follower.stop()));
  }
  return happened;
}

describe('gateways and NATS killed, drained and wiped while everybody reads and writes', () => {
  test(
    `each follower's record is the log itself (${schedules} schedules)`,
    async () => {
      const random = seededRandom();
      for (let number = 1; number <= schedules; number += 1) {
        // oxlint-disable-next-line no-await-in-loop -- one schedule after the other
        const happened = await runSchedule(number, random.fork());
        process.stderr.write(`${number}: ${happened.join(', ')}\n`);
      }
    },
    schedules * 45_000,
  );
});
