import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, seededRandom, type SeededRandom } from '@boardwire/test-kit';
import { FilterSet } from '../src/delivery/filter-set.ts';
import type { StreamStart } from '../src/delivery/stream-start.ts';
import { ChangingLog } from './support/changing-log.ts';
import { turn } from './support/memory-board.ts';
import { ResumeReader } from './support/resume-reader.ts';
import { Pipes, ReaderConnection, TestGateway, type GatewayBounds } from './support/resume-world.ts';

const isLong = process.env['BOARDWIRE_TEST_TIER'] === 'long';
const schedules = isLong ? 2_000 : 60;

const subjects = [
  'a',
  'a.b',
  'a.c',
  'a.b.c',
  'a.x.c',
  'b',
  'b.c.d',
  'x.y',
  'busy',
  'busy',
  'busy',
  'secret.a',
  'secret.b',
  'state.x',
  'state.y',
];
const filterSets = [
  ['>'],
  ['a'],
  ['a.*'],
  ['a.*.c'],
  ['a.>', 'b'],
  ['*.c.>'],
  ['nobody'],
  ['a', 'a.b', 'x.>'],
  ['busy'],
];
/** What a reader is a member of: others with the same filters must not see it, nor be kept from anything. */
const memberships = [[], [], ['secret.a'], ['secret.*']];
const types = ['note', 'chat.message.posted', 'reset'];

const pipes = new Pipes();
beforeAll(() => pipes.open());
afterAll(() => pipes.close());

/** What happened over all schedules: a property that nothing was held against proves nothing. */
const seen = { events: 0, connections: 0, resets: new Map<string, number>() };

/** One random life of a board on one or two gateways, with everything that can go wrong with them and with clients. */
class Life {
  readonly log: ChangingLog;
  readonly gateways: TestGateway[];
  readonly bounds: GatewayBounds;
  readonly clients: { readers: ResumeReader[]; connection: ReaderConnection | undefined; transport: 'sse' | 'ws' }[] =
    [];
  readonly random: SeededRandom;
  readonly padding: number;
  /** Few, so that readers share groups and slices. */
  readonly filters: string[][];
  readonly opening: Promise<void>[] = [];

  constructor(random: SeededRandom) {
    this.random = random;
    this.log = new ChangingLog(random.fork());
    this.log.pageMax = random.integer(4, 40);
    this.log.failsOneOf = random.pick([0, 0, 10, 50]);
    this.filters = [random.pick(filterSets), random.pick(filterSets)];
    this.padding = random.pick([0, 0, 100, 2_000]);
    this.bounds = {
      ring: { eventsMax: random.pick([1, 8, 40, 400]), bytesMax: random.pick([600, 50_000, 10_000_000]) },
      replayEventsMax: random.pick([15, 60, 100_000]),
      concurrentMax: random.integer(1, 4),
    };
    this.publish(random.integer(0, 150));
    const count = random.integer(1, 2);
    this.gateways = Array.from({ length: count }, () => new TestGateway(this.log, this.bounds));
  }

  publish(count: number): void {
    for (let left = count; left > 0; left -= 1) {
      this.log.add(this.random.pick(subjects), this.random.pick(types), this.padding);
    }
  }

  step(): Promise<void> | void {
    const { random } = this;
    const gateway = random.pick(this.gateways);
    const client = this.clients.length === 0 ? undefined : random.pick(this.clients);
    switch (random.pick(steps)) {
      case 'publish':
        return this.publish(random.integer(1, 20));
      case 'deliver':
        return gateway.deliver(random.integer(1, 40));
      case 'turn':
        return turn();
      case 'arrive':
        return this.arrive();
      case 'stop reading':
        return client?.connection?.pause();
      case 'read on':
        return client?.connection?.resume();
      case 'heartbeat':
        return client?.connection?.heartbeat();
      case 'cut':
        return client?.connection?.cut();
      case 'cut in a block':
        if (client?.connection !== undefined) client.connection.bytesLeft = random.integer(1, 600);
        return;
      case 'send away':
        return client?.connection?.end();
      case 'come back':
        if (client?.connection?.isOver !== false) this.connect(client);
        return;
      case 'burst':
        return this.publish(random.integer(50, 300));
      case 'kill':
        return random.integer(1, 6) === 1 ? gateway.restart() : undefined;
      case 'restore':
        return random.integer(1, 10) === 1 ? this.log.startEpoch(random.integer(0, this.log.last)) : undefined;
      case 'learn':
        return gateway.epoch === this.log.epoch ? undefined : gateway.learnEpoch();
      case 'prune':
        return random.integer(1, 4) === 1 ? this.log.prune(random.integer(1, 60)) : undefined;
      case 'hear of it':
        return gateway.learnOldest();
      case 'lose the thread':
        return random.integer(1, 10) === 1 && gateway.epoch === this.log.epoch ? this.loseThread(gateway) : undefined;
    }
  }

  loseThread(gateway: TestGateway): void {
    for (const { readers } of this.clients) for (const reader of readers) reader.mayLoseThread = true;
    gateway.learnEpoch(this.random.integer(1, 20));
  }

  arrive(): void {
    const { random, log, bounds } = this;
    const transport = random.pick(['sse', 'ws'] as const);
    const count = transport === 'sse' ? 1 : random.integer(1, 3);
    const readers = Array.from({ length: count }, () => {
      const ofTypes = random.integer(1, 4) === 1 ? [random.pick(types)] : [];
      const wanted = new FilterSet(random.pick(this.filters), ofTypes, random.pick(memberships));
      const overflow = random.pick(['disconnect', 'disconnect', 'conflate'] as const);
      return new ResumeReader({
        log,
        wanted,
        start: this.startOf(),
        overflow,
        replayEventsMax: bounds.replayEventsMax,
      });
    });
    const client = { readers, connection: undefined, transport };
    this.clients.push(client);
    this.connect(client);
  }

  connect(client: (typeof this.clients)[number] | undefined): void {
    if (client === undefined) return;
    const { random } = this;
    const connection = new ReaderConnection(random.pick(this.gateways), {
      readers: client.readers,
      transport: client.transport,
      isChunked: random.integer(0, 1) === 1,
      // Always room for a page of a replay, as in production.
      outbox: { bytesMax: random.pick([280_000, 10_000_000]), eventsMax: random.pick([520, 10_000]) },
    });
    client.connection = connection;
    seen.connections += 1;
    this.opening.push(connection.open(pipes, random.fork()));
  }

  startOf(): StreamStart {
    const { random, log } = this;
    switch (random.integer(0, 5)) {
      case 0:
        return { kind: 'live' };
      case 1:
        return { kind: 'beginning' };
      case 2:
        return { kind: 'last', count: random.integer(0, 20) };
      case 3:
        return { kind: 'after', cursor: { epoch: random.pick([...log.epochs.keys()]), seq: random.integer(0, 40) } };
      default:
        return { kind: 'after', cursor: { epoch: log.epoch, seq: random.integer(0, log.last) } };
    }
  }

  /** All faults are over: everybody comes back and must get to the end. */
  async settle(): Promise<void> {
    this.log.failsOneOf = 0;
    await Promise.all(this.opening);
    for (const gateway of this.gateways) {
      if (gateway.epoch !== this.log.epoch) gateway.learnEpoch();
      gateway.deliver(Number.POSITIVE_INFINITY);
    }
    for (const client of this.clients) client.connection?.resume();
    await eventually(
      async () => {
        for (const client of this.clients) {
          if (client.connection?.isOver !== false) this.connect(client);
          if (client.connection?.isLive === true) client.connection.heartbeat();
        }
        await turn();
        const late = this.clients.flatMap(({ readers }) => readers).filter((reader) => !reader.isAtEnd);
        expect(late.map(({ faults, lastId, start }) => ({ faults, lastId, start }))).toEqual([]);
      },
      { everyMs: 1, timeoutMs: 30_000 },
    );
  }

  end(): void {
    for (const client of this.clients) client.connection?.cut();
  }
}

const steps = [
  ...Array<'publish'>(4).fill('publish'),
  ...Array<'deliver'>(6).fill('deliver'),
  ...Array<'turn'>(8).fill('turn'),
  'arrive',
  'arrive',
  'stop reading',
  'read on',
  'read on',
  'heartbeat',
  'heartbeat',
  'cut',
  'cut in a block',
  'cut in a block',
  'send away',
  'come back',
  'come back',
  'come back',
  'burst',
  'kill',
  'restore',
  'learn',
  'lose the thread',
  'prune',
  'hear of it',
] as const;

async function live(random: SeededRandom): Promise<void> {
  const life = new Life(random);
  for (let left = random.integer(20, 150); left > 0; left -= 1) {
    // oxlint-disable-next-line no-await-in-loop -- one thing after the other
    await life.step();
  }
  await life.settle().finally(() => life.end());
  const readers = life.clients.flatMap((client) => client.readers);
  expect(readers.flatMap(({ faults }) => faults)).toEqual([]);
  for (const { events, resets } of readers) {
    seen.events += events;
    for (const reason of resets) seen.resets.set(reason, (seen.resets.get(reason) ?? 0) + 1);
  }
}

const reasons = ['epoch', 'pruned', 'too_far', 'unknown'];

describe('whatever happens to gateways, clients, sockets and the log', () => {
  test(
    `a reader gets each event once and in order, or is told of a reset that has a reason (${schedules} schedules)`,
    async () => {
      const random = seededRandom();
      // Each reason must have come up, or the schedules have lost their teeth: a rare one may take a few more.
      const hasSeenAll = () => reasons.every((reason) => seen.resets.has(reason));
      for (let round = 1; round <= schedules || (!hasSeenAll() && round <= schedules * 5); round += 1) {
        const schedule = random.fork();
        // oxlint-disable-next-line no-await-in-loop -- one life after the other
        await live(schedule).catch((error: unknown) => {
          throw new Error(`schedule ${round} of seed ${random.seed} (its own: ${schedule.seed})`, { cause: error });
        });
      }
      expect([...seen.resets.keys()].toSorted()).toEqual(reasons);
      expect(seen.events).toBeGreaterThan(schedules * 20);
      process.stderr.write(
        `${seen.connections} connections, ${seen.events} events, ${JSON.stringify([...seen.resets])}\n`,
      );
    },
    isLong ? 900_000 : 60_000,
  );
});
