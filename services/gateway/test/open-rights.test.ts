import { describe, expect, test } from '@jest/globals';
import { eventually, parseSseBlock, seededRandom } from '@boardwire/test-kit';
import { FilterSet } from '../src/delivery/filter-set.ts';
import { Outbox } from '../src/delivery/outbox.ts';
import { reachOf, reachRules } from '../src/delivery/reach.ts';
import { ReplayGate } from '../src/delivery/replay-gate.ts';
import { ReplaySource } from '../src/delivery/replay-source.ts';
import { RingFiller } from '../src/delivery/ring-filler.ts';
import { SliceCache } from '../src/delivery/slice-cache.ts';
import { SseFormat } from '../src/delivery/sse-format.ts';
import { StateReader } from '../src/delivery/state-reader.ts';
import { StartPlanner, type StreamStart } from '../src/delivery/stream-start.ts';
import { SubjectAccess } from '../src/delivery/subject-access.ts';
import { Subscription } from '../src/delivery/subscription.ts';
import { shareSubject } from '../src/presence/shared-subjects.ts';
import { epoch, MemoryLog, newChannel, TestSocket, turn } from './support/memory-board.ts';

const format = new SseFormat({ isNamed: false, framing: 'plain' });
const rules = [{ pattern: 'dm.>', class: 'log' as const, access: 'members' as const }];

/** @param past subjects of what was there before this pod: it is read from the log */
function board(past: readonly string[] = []) {
  const log = new MemoryLog();
  for (const subject of past) log.add(subject);
  const channel = newChannel(past.length, { eventsMax: 10_000, bytesMax: 64 * 1024 * 1024 });
  const gate = new ReplayGate({ concurrentMax: 64, perUserMax: 64, observeWait: () => {} });
  const shared = {
    planner: new StartPlanner(log, new RingFiller(log), 100_000),
    replay: new ReplaySource(log, gate),
    slices: new SliceCache(1024 * 1024),
    states: new StateReader(log, gate),
  };
  const open = (wanted: FilterSet, start: StreamStart = { kind: 'live' }) => {
    const socket = new TestSocket(64 * 1024 * 1024);
    const outbox = new Outbox(socket.asSocket(), { bytesMax: 64e6, eventsMax: 1e6, onOverflow: () => {} });
    const observer = { onOpened: () => {}, onCaughtUp: () => {}, onConflated: () => {}, onFailed: () => {} };
    const subscription = new Subscription({
      ...shared,
      channel,
      wanted,
      format,
      outbox,
      observer,
      overflow: 'disconnect',
      hasSnapshot: false,
      turn: { userId: 'u1', onWaiting: () => {} },
    });
    void subscription.open(start);
    return { socket, subscription };
  };
  const add = (subject: string) => channel.append([log.add(subject)]);
  return { log, channel, open, add };
}

const seqsOf = ({ socket }: { socket: TestSocket }) =>
  socket.text
    .split('\n\n')
    .filter((text) => text !== '')
    .map((text) => parseSseBlock(text))
    .filter((block) => block.event === undefined && block.data !== undefined)
    .map(({ id }) => Number(id!.slice(epoch.length + 1)));

/** Live, and has taken all that was written to it. */
const isIdle = ({ subscription, socket }: { subscription: Subscription; socket: TestSocket }) =>
  subscription.isLive && socket.writableLength === 0;

const everything = new FilterSet(['>']);
const member = new FilterSet(['>'], undefined, ['dm.>']);
/** More than one turn of the fan-out takes. */
const crowd = 2_500;

describe('rights that change while a page of the past is read', () => {
  test('hold for that page as well: what was lost is not in it, what was gained is', async () => {
    for (const [before, after, expected] of [
      [member, everything, [2]],
      [everything, member, [1, 2]],
    ] as const) {
      const { log, channel, open } = board(['dm.x', 'open']);
      channel.setRules(rules);
      const read = log.after.bind(log);
      let pages = 0;
      let answer = () => {};
      const held = new Promise<void>((resolve) => (answer = resolve));
      log.after = async (slug, query) => {
        const page = await read(slug, query);
        pages += 1;
        await held;
        return page;
      };
      const reader = open(before, { kind: 'beginning' });
      // oxlint-disable-next-line no-await-in-loop -- one reader after the other
      await eventually(() => expect(pages).toBe(1));
      reader.subscription.want(after);
      answer();
      // oxlint-disable-next-line no-await-in-loop
      await eventually(() => expect(isIdle(reader)).toBe(true));
      expect(seqsOf(reader)).toEqual(expected);
      reader.subscription.end();
    }
  });
});

describe('rights that change in the middle of a pass', () => {
  test('of the board: who has not been served gets nothing of what was closed, and misses nothing else', async () => {
    const { channel, open, add, log } = board();
    const readers = Array.from({ length: crowd }, () => open(everything));
    await eventually(() => expect(readers.every(isIdle)).toBe(true));
    channel.append([log.add('dm.x'), log.add('open')]);
    // The pass has served its first turn when this one ends.
    expect(channel.settled).toBeLessThan(channel.passed);
    const served = readers.filter((reader) => !isIdle(reader)).length;
    expect(served).toBeGreaterThan(0);
    expect(served).toBeLessThan(crowd);
    channel.setRules(rules);
    add('open');
    await eventually(() => expect(readers.every((reader) => seqsOf(reader).includes(3))).toBe(true));
    const histories = readers.map((reader) => seqsOf(reader).join());
    expect(histories.filter((history) => history === '1,2,3')).toHaveLength(served);
    expect(histories.filter((history) => history === '2,3')).toHaveLength(crowd - served);
    for (const { subscription } of readers) subscription.end();
  }, 30_000);

  test('of readers: each loses and gains from that instant on, exactly once, in order (seeded)', async () => {
    const random = seededRandom();
    for (let round = 0; round < 3; round += 1) {
      const { channel, open, log } = board();
      channel.setRules(rules);
      const readers = Array.from({ length: crowd }, () => open(random.pick([everything, member])));
      // oxlint-disable-next-line no-await-in-loop -- one life after the other
      await eventually(() => expect(readers.every(isIdle)).toBe(true));
      for (let step = 0; step < 20; step += 1) {
        const count = random.integer(1, 4);
        channel.append(Array.from({ length: count }, () => log.add(random.pick(['dm.x', 'open']))));
        for (let changes = random.integer(0, 300); changes > 0; changes -= 1) {
          random.pick(readers).subscription.want(random.pick([everything, member]));
        }
        // oxlint-disable-next-line no-await-in-loop
        for (let turns = random.integer(0, 3); turns > 0; turns -= 1) await turn();
      }
      const last = log.add('open').seq;
      channel.append([log.events.at(-1)!]);
      // oxlint-disable-next-line no-await-in-loop
      await eventually(() => expect(readers.every((reader) => seqsOf(reader).at(-1) === last)).toBe(true));
      const opened = log.events.filter(({ subject }) => subject === 'open').map(({ seq }) => seq);
      for (const reader of readers) {
        const seqs = seqsOf(reader);
        expect(seqs).toEqual([...new Set(seqs)].toSorted((a, b) => a - b));
        expect(seqs.filter((seq) => log.events[seq - 1]!.subject === 'open')).toEqual(opened);
        reader.subscription.end();
      }
    }
  }, 60_000);

  test('of one reader: nothing of a members’ subject once the membership has ended', async () => {
    const { channel, open, log } = board();
    channel.setRules(rules);
    const readers = Array.from({ length: crowd }, () => open(member));
    await eventually(() => expect(readers.every(isIdle)).toBe(true));
    channel.append([log.add('dm.x')]);
    const last = readers.at(-1)!;
    expect(last.socket.writableLength).toBe(0);
    last.subscription.want(everything);
    channel.append([log.add('open')]);
    await eventually(() => expect(seqsOf(readers[0]!)).toEqual([1, 2]));
    await eventually(() => expect(seqsOf(last)).toEqual([2]));
    for (const { subscription } of readers) subscription.end();
  }, 30_000);
});

describe('a set of filters', () => {
  test('has another key when only its rights differ, so that nobody gets bytes made for others', () => {
    expect(everything.key).not.toBe(member.key);
    const long = Array.from({ length: 100 }, (_, at) => `dm.${at}.with.a.long.name`);
    const keys = [long, long.slice(1)].map((filters) => new FilterSet(['>'], undefined, filters).key);
    expect(new Set(keys).size).toBe(2);
    expect(keys[0]!.length).toBeLessThan(100);
  });

  test('matches a members’ subject by a membership alone', () => {
    const set = new FilterSet(['dm.x', '>'], ['note'], ['dm.y']);
    expect(set.matches('dm.x', 'note', false)).toBe(false);
    expect(set.matches('dm.y', 'note', false)).toBe(true);
    expect(set.matches('dm.y', 'other', false)).toBe(false);
    expect(set.matches('dm.x', 'note', true)).toBe(true);
  });

  test('that lies within members’ subjects reaches nothing open', () => {
    const access = new SubjectAccess([{ pattern: 'dm.lobby', class: 'log', access: 'open' }, ...rules]);
    const reach = ['dm.x', 'dm.*', 'dm.x.>', 'dm.lobby', '>', '*.x', 'a'].map((filter) => access.mayReachOpen(filter));
    expect(reach).toEqual([false, true, false, true, true, true, true]);
  });

  test('shares presence only where both may see', () => {
    const access = new SubjectAccess(rules);
    const share = (left: FilterSet, right: FilterSet) =>
      shareSubject(reachOf(access, left), reachOf(access, right), reachRules(rules));
    const inside = new FilterSet(['dm.x'], undefined, ['dm.x']);
    expect(share(inside, everything)).toBe(false);
    expect(share(inside, member)).toBe(true);
    expect(share(inside, inside)).toBe(true);
    expect(share(new FilterSet(['a.x']), everything)).toBe(true);
    expect(share(new FilterSet(['*.x']), new FilterSet(['dm.>', 'b']))).toBe(false);
  });
});
