import { describe, expect, test } from '@jest/globals';
import type { Overflow } from '@boardwire/contracts';
import { eventually, parseSseBlock, seededRandom, type SeededRandom } from '@boardwire/test-kit';
import type { BoardChannel } from '../src/delivery/board-channel.ts';
import { FilterSet } from '../src/delivery/filter-set.ts';
import { IgnoredAuthors } from '../src/rights/ignored-authors.ts';
import { Outbox } from '../src/delivery/outbox.ts';
import { ReplayGate } from '../src/delivery/replay-gate.ts';
import { ReplaySource } from '../src/delivery/replay-source.ts';
import { RingFiller } from '../src/delivery/ring-filler.ts';
import { SliceCache } from '../src/delivery/slice-cache.ts';
import { SseFormat } from '../src/delivery/sse-format.ts';
import { StateReader } from '../src/delivery/state-reader.ts';
import { StartPlanner, type StreamStart } from '../src/delivery/stream-start.ts';
import type { ResumeOutcome } from '../src/delivery/subscription-options.ts';
import { Subscription } from '../src/delivery/subscription.ts';
import { epoch, MemoryLog, newChannel, TestSocket, turn } from './support/memory-board.ts';

const plain = new SseFormat({ isNamed: false, framing: 'plain' });
const subjects = ['a', 'a.b', 'a.c', 'b', 'b.c.d', 'x.y'];
const authors = ['ana', 'ben', 'eve'];
const ignoreLists = [[], [], ['ana'], ['ana', 'eve'], authors, ['nobody']];
const filterSets = [['>'], ['a'], ['a.*'], ['a.>', 'b'], ['*.c.>'], ['nobody'], ['a', 'a.b', 'x.>']];

interface Client {
  subscription: Subscription;
  socket: TestSocket;
  wanted: FilterSet;
  outcomes: ResumeOutcome[];
  failures: unknown[];
}

interface How {
  overflow?: Overflow;
  hasSnapshot?: boolean;
  /** Authors. */
  ignores?: string[];
}

function platform(log: MemoryLog, replayEventsMax = 100_000) {
  const gate = new ReplayGate({ concurrentMax: 4, perUserMax: 4, observeWait: () => {} });
  const shared = {
    planner: new StartPlanner(log, new RingFiller(log), replayEventsMax),
    replay: new ReplaySource(log, gate),
    slices: new SliceCache(64 * 1024),
    states: new StateReader(log, gate),
  };
  return (channel: BoardChannel, filters: string[], types?: string[], how: How = {}): Client => {
    const socket = new TestSocket();
    const outcomes: ResumeOutcome[] = [];
    const failures: unknown[] = [];
    const outbox = new Outbox(socket.asSocket(), { bytesMax: 8e6, eventsMax: 1e6, onOverflow: () => {} });
    const conflated: number[] = [];
    const { overflow = 'disconnect', hasSnapshot = false, ignores = [] } = how;
    const wanted = new FilterSet(filters, types, [], ignoredOf(ignores));
    const observer = {
      onConflated: (events: number) => void conflated.push(events),
      onOpened: (outcome: ResumeOutcome) => void outcomes.push(outcome),
      onCaughtUp: () => {},
      onFailed: (error: unknown) => void failures.push(error),
    };
    const subscription = new Subscription({
      ...shared,
      channel,
      wanted,
      format: plain,
      outbox,
      overflow,
      hasSnapshot,
      turn: { userId: 'u1', onWaiting: () => {} },
      observer,
    });
    return { subscription, socket, wanted, outcomes, failures };
  };
}

function ignoredOf(authors: readonly string[]): IgnoredAuthors | undefined {
  return authors.length === 0 ? undefined : new IgnoredAuthors(authors.map((author) => `${author}@here`));
}

function blocksOf(socket: TestSocket) {
  return socket.text
    .split('\n\n')
    .filter((text) => text !== '')
    .map((text) => parseSseBlock(text));
}

const seqOf = (id: string | undefined) => Number(id?.slice(epoch.length + 1));
const eventsOf = (socket: TestSocket) => blocksOf(socket).filter((block) => block.event === undefined && block.data);

function expected(log: MemoryLog, wanted: FilterSet, after: number): number[] {
  return log.events
    .filter((event) => event.seq > after && wanted.matches(event.subject, event.type, true) && !wanted.ignores(event))
    .map(({ seq }) => seq);
}

/** One random life of a board with readers that come, go and stall; answers what each reader must have seen. */
async function runSchedule(random: SeededRandom): Promise<void> {
  const log = new MemoryLog();
  log.pageMax = random.integer(1, 30);
  const add = () => log.add(random.pick(subjects), undefined, undefined, random.pick(authors));
  for (let count = random.integer(0, 150); count > 0; count -= 1) add();
  const known = random.integer(0, log.events.length);
  const channel = newChannel(known, { eventsMax: random.integer(1, 80), bytesMax: random.integer(500, 50_000) });
  const open = platform(log);
  const readers: { client: Client; start: StreamStart }[] = [];
  let delivered = known;
  const deliver = (upTo: number) => {
    channel.append(log.events.slice(delivered, upTo));
    delivered = upTo;
  };
  const steps = random.integer(10, 60);
  for (let step = 0; step < steps; step += 1) {
    const action = random.integer(0, 5);
    if (action <= 1) {
      for (let count = random.integer(1, 20); count > 0; count -= 1) add();
      deliver(random.integer(delivered, log.events.length));
    } else if (action === 2) {
      const client = open(channel, random.pick(filterSets), undefined, { ignores: random.pick(ignoreLists) });
      const start = startOf(random, log);
      void client.subscription.open(start);
      readers.push({ client, start });
    } else if (action === 3 && readers.length > 0) {
      random.pick(readers).client.socket.isPaused = true;
    } else if (action === 4) {
      for (const { client } of readers) client.socket.unpause();
    } else {
      // oxlint-disable-next-line no-await-in-loop -- the schedule is the point
      await turn();
    }
  }
  deliver(log.events.length);
  for (const { client } of readers) client.socket.unpause();
  for (const { client, start } of readers) {
    // oxlint-disable-next-line no-await-in-loop
    await eventually(() => expect(client.subscription.isLive && client.socket.writableLength === 0).toBe(true), {
      everyMs: 1,
    });
    const opening = JSON.parse(blocksOf(client.socket)[0]!.data!) as { from: string; head: string; replayed: number };
    const from = seqOf(opening.from);
    expect(from).toBe(positionOf(start, opening, log, client.wanted));
    const wanted = expected(log, client.wanted, from);
    // oxlint-disable-next-line no-await-in-loop
    await eventually(() => expect(eventsOf(client.socket)).toHaveLength(wanted.length), { everyMs: 1 });
    expect(eventsOf(client.socket).map(({ id }) => seqOf(id))).toEqual(wanted);
    expect(client.failures).toEqual([]);
    const ids = blocksOf(client.socket).map(({ id }) => seqOf(id));
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    const names = blocksOf(client.socket).map(({ event }) => event);
    expect(names[0]).toBe('resumed');
    expect(names.filter((name) => name === 'caught_up')).toHaveLength(1);
    const replayed = names.indexOf('caught_up') - 1;
    // The log counts what is left out here.
    if (client.wanted.ignored !== undefined) expect(opening.replayed).toBeGreaterThanOrEqual(replayed);
    else expect(opening.replayed).toBe(replayed);
  }
}

function startOf(random: SeededRandom, log: MemoryLog): StreamStart {
  const kind = random.integer(0, 3);
  if (kind === 0) return { kind: 'live' };
  if (kind === 1) return { kind: 'beginning' };
  if (kind === 2) return { kind: 'last', count: random.integer(1, 20) };
  return { kind: 'after', cursor: { epoch, seq: random.integer(0, log.events.length) } };
}

/** Where a stream that opened at this head must have started. */
function positionOf(start: StreamStart, opening: { head: string }, log: MemoryLog, wanted: FilterSet): number {
  const head = seqOf(opening.head);
  if (start.kind === 'beginning') return 0;
  if (start.kind === 'after') return start.cursor.seq;
  if (start.kind !== 'last') return head;
  const newest = expected(log, wanted, 0)
    .filter((seq) => seq <= head)
    .slice(-start.count);
  return (newest[0] ?? head + 1) - 1;
}

describe('a subscription', () => {
  test('gets each matching event exactly once in order, whatever the schedule', async () => {
    const random = seededRandom();
    for (let round = 0; round < 150; round += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one life after the other
      await runSchedule(random);
    }
  });

  test('leaves out whom its reader ignores from then on, in the state as well, and its cursor goes on', async () => {
    const log = new MemoryLog();
    const say = (author: string, subject: string) => log.add(subject, undefined, true, author);
    const channel = newChannel(0);
    channel.setRules([{ pattern: '>', class: 'state', access: 'open' }]);
    channel.append([say('ana', 'a'), say('ben', 'b')]);
    const open = platform(log);
    const all = open(channel, ['>'], undefined, { hasSnapshot: true });
    const some = open(channel, ['>'], undefined, { hasSnapshot: true, ignores: ['ana'] });
    for (const { subscription } of [all, some]) void subscription.open({ kind: 'live' });
    await eventually(() => expect(all.subscription.isLive && some.subscription.isLive).toBe(true), { everyMs: 1 });
    const stateOf = ({ socket }: Client) =>
      blocksOf(socket).find(({ event }) => event === 'state')?.data ?? '{"events":[]}';
    const subjectsIn = (client: Client) =>
      (JSON.parse(stateOf(client)) as { events: { subject: string }[] }).events.map(({ subject }) => subject);
    await eventually(() => expect([subjectsIn(all), subjectsIn(some)]).toEqual([['a', 'b'], ['b']]), { everyMs: 1 });
    const seen = ({ socket }: Client) => eventsOf(socket).map(({ id }) => seqOf(id));
    channel.append([say('ana', 'a'), say('ben', 'b'), say('ana', 'a')]);
    await eventually(() => expect(seen(all)).toEqual([3, 4, 5]), { everyMs: 1 });
    await eventually(() => expect(some.subscription.cursor).toBe(`${epoch}-5`), { everyMs: 1 });
    expect(seen(some)).toEqual([4]);
    all.subscription.want(new FilterSet(['>'], undefined, [], ignoredOf(['ben'])));
    some.subscription.want(new FilterSet(['>']));
    channel.append([say('ana', 'a'), say('ben', 'b')]);
    await eventually(
      () =>
        expect([seen(all), seen(some)]).toEqual([
          [3, 4, 5, 6],
          [4, 6, 7],
        ]),
      { everyMs: 1 },
    );
  });

  test('is told reset when its cursor is of another epoch, above the head, or too far back', async () => {
    const log = new MemoryLog();
    for (let count = 0; count < 30; count += 1) log.add('a');
    const channel = newChannel(30);
    const open = platform(log, 10);
    const cases: [StreamStart, ResumeOutcome][] = [
      [{ kind: 'after', cursor: { epoch: 'epoch000', seq: 3 } }, 'epoch'],
      [{ kind: 'after', cursor: { epoch, seq: 31 } }, 'unknown'],
      [{ kind: 'after', cursor: { epoch, seq: 3 } }, 'too_far'],
    ];
    for (const [start, outcome] of cases) {
      const client = open(channel, ['a']);
      // oxlint-disable-next-line no-await-in-loop
      await client.subscription.open(start);
      const [first] = blocksOf(client.socket);
      expect(client.outcomes).toEqual([outcome]);
      expect(first).toMatchObject({ event: 'reset', id: `${epoch}-30` });
      expect(JSON.parse(first!.data!)).toMatchObject({ reason: outcome, head: `${epoch}-30` });
      expect(client.subscription.isLive).toBe(true);
    }
  });

  test('is told reset in the stream when the epoch changes under it, then goes on in the new one', async () => {
    const log = new MemoryLog();
    log.add('a');
    const channel = newChannel(1);
    const client = platform(log)(channel, ['a']);
    await client.subscription.open({ kind: 'live' });
    channel.restart('epoch002', 7);
    channel.append([{ ...log.events[0]!, seq: 8 }]);
    await eventually(() => expect(eventsOf(client.socket)).toHaveLength(1));
    const reset = blocksOf(client.socket).find(({ event }) => event === 'reset');
    expect(reset).toMatchObject({ id: 'epoch002-7' });
    expect(JSON.parse(reset!.data!)).toMatchObject({ requested: `${epoch}-1`, reason: 'epoch' });
    expect(eventsOf(client.socket)[0]!.id).toBe('epoch002-8');
    expect(client.subscription.cursor).toBe('epoch002-8');
  });

  test('joins while a pass over thousands is under way, and neither misses its event nor gets it twice', async () => {
    const log = new MemoryLog();
    const channel = newChannel(0);
    const open = platform(log);
    const crowd = Array.from({ length: 2_500 }, () => open(channel, ['>']));
    await Promise.all(crowd.map(({ subscription }) => subscription.open({ kind: 'live' })));
    channel.append([log.add('a')]);
    expect(channel.settled).toBe(0);
    const late = open(channel, ['>']);
    const fresh = open(channel, ['>']);
    await late.subscription.open({ kind: 'after', cursor: { epoch, seq: 0 } });
    await fresh.subscription.open({ kind: 'live' });
    expect(channel.settled).toBe(0);
    expect(crowd.at(-1)!.subscription.cursor).toBe(`${epoch}-0`);
    expect(late.subscription.cursor).toBe(`${epoch}-1`);
    crowd[0]!.subscription.end();
    await eventually(() => expect(channel.settled).toBe(1));
    channel.append([log.add('b')]);
    await eventually(() => expect(channel.settled).toBe(2));
    const seen = ({ socket }: Client) => eventsOf(socket).map(({ id }) => seqOf(id));
    await eventually(() => expect(crowd.slice(1).every((client) => seen(client).length === 2)).toBe(true));
    await eventually(() => expect([seen(late), seen(fresh), seen(crowd[0]!)]).toEqual([[1, 2], [2], [1]]));
  });

  test('catches up at its own pace when more comes at once than a pass may queue', async () => {
    const log = new MemoryLog();
    log.pageMax = 500;
    const channel = newChannel(0);
    const client = platform(log)(channel, ['>']);
    await client.subscription.open({ kind: 'live' });
    for (let count = 0; count < 9_000; count += 1) log.add('a');
    channel.append(log.events);
    await eventually(() => expect(eventsOf(client.socket)).toHaveLength(9_000));
    expect(eventsOf(client.socket).map(({ id }) => seqOf(id))).toEqual(log.events.map(({ seq }) => seq));
  });

  test('leaves nothing behind when it ends, and ends alone when its encoder throws', async () => {
    const log = new MemoryLog();
    const channel = newChannel(0);
    const open = platform(log);
    const bad = open(channel, ['a']);
    const good = open(channel, ['>']);
    await Promise.all([bad.subscription.open({ kind: 'live' }), good.subscription.open({ kind: 'live' })]);
    channel.join(bad.subscription, {
      key: 'bad',
      wanted: new FilterSet(['a']),
      encoder: () => ({
        encode: () => {
          throw new Error('broken');
        },
      }),
    });
    channel.append([log.add('a')]);
    await eventually(() => expect(eventsOf(good.socket)).toHaveLength(1));
    expect(bad.failures).toHaveLength(1);
    good.subscription.end();
    good.subscription.end();
    bad.subscription.end();
  });

  test('opens with the state and goes on from there, whatever comes meanwhile', async () => {
    const random = seededRandom();
    for (let round = 0; round < 60; round += 1) {
      const log = new MemoryLog();
      const publish = () => log.add(random.pick(subjects), 'note', true);
      for (let count = random.integer(0, 60); count > 0; count -= 1) publish();
      const known = random.integer(0, log.events.length);
      const channel = newChannel(known, { eventsMax: random.integer(5, 80), bytesMax: 50_000 });
      channel.setRules([{ pattern: '>', class: 'state', access: 'open' }]);
      const open = platform(log);
      let delivered = known;
      const start = startOf(random, log);
      const client = open(channel, ['>'], undefined, { hasSnapshot: true });
      void client.subscription.open(start);
      for (let steps = random.integer(0, 12); steps > 0; steps -= 1) {
        if (random.integer(0, 1) === 0) publish();
        const upTo = random.integer(delivered, log.events.length);
        channel.append(log.events.slice(delivered, upTo));
        delivered = upTo;
        // oxlint-disable-next-line no-await-in-loop -- at some moment of the opening
        if (random.integer(0, 2) === 0) await turn();
      }
      channel.append(log.events.slice(delivered));
      // oxlint-disable-next-line no-await-in-loop
      await eventually(() => expect(client.subscription.cursor).toBe(`${epoch}-${log.events.length}`), { everyMs: 1 });
      // oxlint-disable-next-line no-await-in-loop
      await eventually(() => expect(client.socket.writableLength).toBe(0), { everyMs: 0 });
      expectStateThenRest(client, log, start);
    }
  });

  test('is given the state again behind a reset in the stream, once', async () => {
    const log = new MemoryLog();
    log.add('a', 'note', true);
    const channel = newChannel(1);
    channel.setRules([{ pattern: '>', class: 'state', access: 'open' }]);
    for (const overflow of ['disconnect', 'conflate'] as const) {
      const client = platform(log)(channel, ['a'], undefined, { hasSnapshot: true, overflow });
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await client.subscription.open({ kind: 'live' });
      log.epoch = epoch === channel.epoch ? 'epoch002' : epoch;
      channel.restart(log.epoch, channel.head);
      // oxlint-disable-next-line no-await-in-loop
      await eventually(() => expect(client.subscription.isLive).toBe(true));
      const names = blocksOf(client.socket).map(({ event }) => event);
      expect(names).toEqual(['resumed', 'state', 'caught_up', 'reset', 'state']);
      channel.append([log.add('a', 'note', true)]);
      // oxlint-disable-next-line no-await-in-loop
      await eventually(() => expect(eventsOf(client.socket)).toHaveLength(1));
      client.subscription.end();
    }
  });
});

/** The newest of each subject are in the state or come behind it; nothing that a cursor left out is missing. */
function expectStateThenRest(client: Client, log: MemoryLog, start: StreamStart): void {
  const blocks = blocksOf(client.socket);
  expect(blocks.map(({ event }) => event).filter((name) => name !== undefined)).toEqual([
    'resumed',
    'state',
    'caught_up',
  ]);
  const from = seqOf(blocks[0]!.id);
  expect(seqOf(blocks[1]!.id)).toBe(from);
  const state = JSON.parse(blocks[1]!.data!) as { head: string; events: { cursor: string; subject: string }[] };
  if (start.kind === 'live') expect(state.head).toBe(blocks[0]!.id);
  expect(eventsOf(client.socket).map(({ id }) => seqOf(id))).toEqual(expected(log, client.wanted, from));
  const newest = new Map(state.events.map(({ subject, cursor }) => [subject, seqOf(cursor)]));
  const upToHead = log.events.slice(0, seqOf(state.head));
  expect(newest).toEqual(new Map(upToHead.map(({ subject, seq }) => [subject, seq])));
}
