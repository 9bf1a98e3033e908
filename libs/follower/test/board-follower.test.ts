import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { boardsStream } from '@boardwire/contracts';
import type { FollowedEvent } from '@boardwire/follower';
import { eventually } from '@boardwire/test-kit';
import { FollowerFixture, range, TestMarks } from './follower-fixture.ts';

describe('BoardFollower', () => {
  let fixture: FollowerFixture;
  beforeAll(async () => void (fixture = await FollowerFixture.start()));
  beforeEach(() => fixture.prepare());
  afterEach(() => fixture.stopFollowers());
  afterAll(() => fixture.stop());

  describe('from the head', () => {
    test('hands over what comes after the head it found, with all that its headers tell', async () => {
      const board = fixture.log.create('events');
      await fixture.publish(board, 5);
      const recorder = await fixture.follow();
      await fixture.publish(board, 3);
      await eventually(() => expect(recorder.seqs('events')).toEqual([6, 7, 8]));
      expect(recorder.epochs).toEqual(['events ->aaaaaaaa@5']);
      const [first] = recorder.events as [FollowedEvent];
      expect({ ...first, bytes: first.bytes.toString() }).toEqual({
        board: 'events',
        epoch: 'aaaaaaaa',
        seq: 6,
        subject: 'AxonChat.room0',
        type: 'chat.message',
        class: 'log',
        bytes: '{"board":"events","epoch":"aaaaaaaa","seq":6}',
        committedMs: 1_700_000_000_006,
        streamed: true,
        datahash: 'hash-6',
      });
      expect(recorder.follower.boards()).toEqual([
        { board: 'events', epoch: 'aaaaaaaa', last: 8, head: 8, caughtUp: true },
      ]);
    });

    test('drops what it has had, and fills a hole from the log before it goes on', async () => {
      const board = fixture.log.create('events');
      const recorder = await fixture.follow();
      const items = fixture.log.append(board, 10);
      const broken = [...items.slice(0, 3), items[1]!, ...items.slice(6), items[9]!];
      await fixture.mirror(board, broken);
      await eventually(() => expect(recorder.seqs('events')).toEqual(range(1, 10)));
      expect(recorder.events.filter(({ streamed }) => !streamed).map(({ seq }) => seq)).toEqual([4, 5, 6]);
      expect(await recorder.value('duplicates_dropped_total')).toBe(2);
      expect(await recorder.value('gap_fills_total')).toBe(1);
    });

    test('closes a hole with a tombstone when the event was removed', async () => {
      const board = fixture.log.create('events');
      const recorder = await fixture.follow();
      const items = fixture.log.append(board, 3);
      const { body: _body, ...rest } = items[1]!;
      board.items[1] = { ...rest, removed: { id: 'e2' } };
      await fixture.mirror(board, [items[0]!, items[2]!]);
      await eventually(() => expect(recorder.seqs('events')).toEqual([1, 2, 3]));
      expect(recorder.events[1]).toMatchObject({ removed: { id: 'e2', datahash: 'hash-2' }, bytes: Buffer.alloc(0) });
    });

    test('notices a lost tail that no later event betrays', async () => {
      const board = fixture.log.create('events');
      const recorder = await fixture.follow();
      await fixture.publish(board, 3);
      await eventually(() => expect(recorder.seqs('events')).toEqual([1, 2, 3]));
      const lost = fixture.log.append(board, 4);
      fixture.log.relayedTo(board, lost.at(-1)!.seq);
      await eventually(() => expect(recorder.seqs('events')).toEqual(range(1, 7)), { timeoutMs: 1_500 });
      expect(await recorder.value('lost_tails_total')).toBe(1);
      await eventually(() => expect(recorder.follower.isStreaming).toBe(true));
      await fixture.publish(board, 1);
      await eventually(() => expect(recorder.events.at(-1)).toMatchObject({ seq: 8, streamed: true }));
    });

    test('gives the mirror half a second before it reads what the mirror may still bring', async () => {
      const board = fixture.log.create('events');
      await fixture.follow();
      const items = fixture.log.append(board, 3);
      await new Promise((resolve) => setTimeout(resolve, 200));
      await fixture.mirror(board, items);
      await eventually(() => expect(fixture.log.ranges).toBe(0));
    });

    test('loses nothing when the stream is deleted and recreated while events are published', async () => {
      const board = fixture.log.create('events');
      const recorder = await fixture.follow();
      await fixture.publish(board, 100);
      await fixture.bus.streams.delete(boardsStream.name);
      fixture.log.append(board, 50);
      await fixture.bus.streams.ensure(boardsStream);
      await fixture.publish(board, 50);
      await eventually(() => expect(recorder.seqs('events')).toEqual(range(1, 200)));
    });

    test('without NATS it delivers from the log within 700 ms, and goes back to the stream afterwards', async () => {
      const board = fixture.log.create('events');
      const recorder = await fixture.follow();
      await fixture.server.nats.kill();
      await eventually(() => expect(recorder.follower.isStreaming).toBe(false));
      for (let seq = 1; seq <= 5; seq += 1) {
        fixture.log.append(board);
        await eventually(() => expect(recorder.seqs('events')).toEqual(range(1, seq)), { timeoutMs: 700, everyMs: 5 });
      }
      await fixture.server.nats.start();
      await eventually(() => expect(recorder.follower.isStreaming).toBe(true));
      await fixture.publish(board, 1);
      await eventually(() => expect(recorder.events.at(-1)).toMatchObject({ seq: 6, streamed: true }));
    });

    test('a server that hangs delays nothing beyond 2 s', async () => {
      const board = fixture.log.create('events');
      const recorder = await fixture.follow();
      await fixture.server.nats.pause();
      fixture.log.append(board, 3);
      await eventually(() => expect(recorder.seqs('events')).toEqual([1, 2, 3]), { timeoutMs: 2_000 });
      await fixture.server.nats.resume();
    });

    test('goes on with the stream while chat is down, and fills holes when chat is back', async () => {
      const board = fixture.log.create('events');
      const recorder = await fixture.follow();
      fixture.log.isDown = true;
      const items = fixture.log.append(board, 6);
      await fixture.mirror(board, [...items.slice(0, 3), ...items.slice(4)]);
      await eventually(() => expect(recorder.seqs('events')).toEqual([1, 2, 3]));
      fixture.log.isDown = false;
      await eventually(() => expect(recorder.seqs('events')).toEqual(range(1, 6)), { timeoutMs: 3_000 });
    });

    test('counts an exception of the handler and goes on', async () => {
      const board = fixture.log.create('events');
      const seen: number[] = [];
      const recorder = await fixture.follow({
        onEvents: (_board, events) => {
          seen.push(...events.map(({ seq }) => seq));
          throw new Error('not ours');
        },
      });
      await fixture.publish(board, 1);
      await eventually(() => expect(seen).toEqual([1]));
      await fixture.publish(board, 1);
      await eventually(() => expect(seen).toEqual([1, 2]));
      expect(await recorder.value('intake_handler_failures_total')).toBe(2);
    });

    test('starts over at the new head when the board has a new epoch', async () => {
      const board = fixture.log.create('events');
      const recorder = await fixture.follow();
      await fixture.publish(board, 10);
      await eventually(() => expect(recorder.seqs('events')).toHaveLength(10));
      fixture.log.startEpoch(board, 'bbbbbbbb', 4);
      await eventually(() => expect(recorder.epochs.at(-1)).toBe('events aaaaaaaa>bbbbbbbb@4'));
      await fixture.publish(board, 2);
      await eventually(() => expect(recorder.seqs('events', 'bbbbbbbb')).toEqual([5, 6]));
    });

    test('events of an epoch that chat does not know change nothing and cost few questions', async () => {
      const board = fixture.log.create('events');
      const recorder = await fixture.follow();
      const stale = { ...board, epoch: 'zzzzzzzz', items: [] };
      const before = fixture.log.syncs;
      await fixture.mirror(stale, fixture.log.append(stale, 2_000));
      await fixture.publish(board, 2);
      await eventually(() => expect(recorder.seqs('events')).toEqual([1, 2]));
      expect(fixture.log.syncs - before).toBeLessThan(20);
      expect(recorder.epochs).toEqual(['events ->aaaaaaaa@0']);
    });

    test('tells control changes after each answer, and again when they could not be applied', async () => {
      let calls = 0;
      const recorder = await fixture.follow({
        onControl: () => {
          calls += 1;
          if (calls === 1) throw new Error('not now');
        },
      });
      expect(calls).toBeGreaterThanOrEqual(2);
      const before = calls;
      fixture.log.create('later');
      await eventually(() => expect(recorder.follower.position('later')).toBeDefined());
      expect(calls).toBeGreaterThan(before);
    });

    test('takes up new boards and forgets removed ones', async () => {
      const recorder = await fixture.follow();
      const board = fixture.log.create('later');
      await eventually(() => expect(recorder.follower.position('later')).toBeDefined());
      await fixture.publish(board, 2);
      await eventually(() => expect(recorder.seqs('later')).toEqual([1, 2]));
      fixture.log.remove('later');
      await eventually(() => expect(recorder.removed).toEqual(['later']));
      expect(recorder.follower.boards()).toEqual([]);
    });

    test('with a full queue behind a hole it drops live events and reads them later', async () => {
      const board = fixture.log.create('events');
      const recorder = await fixture.follow({ queueMax: 64 });
      fixture.log.isDown = true;
      const items = fixture.log.append(board, 1_000);
      await fixture.mirror(board, items.slice(1));
      await eventually(async () => expect(await recorder.value('intake_overflow_total')).toBeGreaterThan(0));
      expect(await recorder.value('queue_depth')).toBeLessThanOrEqual(64);
      fixture.log.isDown = false;
      await eventually(() => expect(recorder.seqs('events')).toEqual(range(1, 1_000)));
    });
  });

  describe('with marks', () => {
    test('starts behind its marks and reads what it missed', async () => {
      const board = fixture.log.create('events');
      await fixture.publish(board, 2_500);
      const marks = new TestMarks();
      marks.marks.set('events aaaaaaaa', 100);
      const recorder = await fixture.follow({ marks, onEvents: (_board, events) => marks.store(events) });
      await eventually(() => expect(recorder.follower.caughtUp('events')).toBe(true));
      await fixture.publish(board, 10);
      await eventually(() => expect(marks.marks.get('events aaaaaaaa')).toBe(2_510));
    });

    test('goes on behind what the log has let go, and counts what it never got', async () => {
      const board = fixture.log.create('events');
      fixture.log.append(board, 30);
      board.oldest = 21;
      const marks = new TestMarks();
      marks.marks.set('events aaaaaaaa', 5);
      const recorder = await fixture.follow({ marks });
      await eventually(() => expect(recorder.seqs('events')).toEqual(range(21, 30)));
      expect(await recorder.value('pruned_unread_events_total')).toBe(15);
    });

    test('tells the log how far it has stored each board', async () => {
      const board = fixture.log.create('events');
      await fixture.publish(board, 5);
      const marks = new TestMarks();
      await fixture.follow({ marks, durable: 'teller-v1', onEvents: (_board, events) => marks.store(events) });
      const told = { board: 'events', epoch: 'aaaaaaaa', seq: 5 };
      await eventually(() => expect(fixture.log.marks).toContainEqual(told), { timeoutMs: 12_000 });
    }, 20_000);

    test('a batch whose handler rejects comes again until it is stored; nothing is skipped', async () => {
      const board = fixture.log.create('events');
      const marks = new TestMarks();
      let calls = 0;
      const recorder = await fixture.follow({
        marks,
        durable: 'reader-v1',
        onEvents: async (_board, events) => {
          calls += 1;
          await Promise.resolve();
          if (calls % 3 !== 0) throw new Error('the database is away');
          marks.store(events);
        },
      });
      await fixture.publish(board, 5);
      await eventually(() => expect(marks.marks.get('events aaaaaaaa')).toBe(5));
      await fixture.publish(board, 5);
      await eventually(() => expect(marks.marks.get('events aaaaaaaa')).toBe(10));
      expect(await recorder.value('intake_handler_failures_total')).toBeGreaterThanOrEqual(4);
    });

    test('never trusts a durable’s position: with the marks lost, everything comes again', async () => {
      const board = fixture.log.create('events');
      const first = new TestMarks();
      const recorder = await fixture.follow({
        marks: first,
        durable: 'reader-v1',
        onEvents: (_board, events) => first.store(events),
      });
      await fixture.publish(board, 300);
      await eventually(() => expect(recorder.follower.caughtUp('events')).toBe(true));
      await recorder.stop();
      const second = new TestMarks();
      await fixture.follow({ marks: second, durable: 'reader-v1', onEvents: (_board, events) => second.store(events) });
      await eventually(() => expect(second.marks.get('events aaaaaaaa')).toBe(300));
    });

    test('a handler that is slow bounds what is held, and everything arrives in order', async () => {
      const board = fixture.log.create('events');
      const marks = new TestMarks();
      let deepest = 0;
      const recorder = await fixture.follow({
        marks,
        durable: 'reader-v1',
        queueMax: 200,
        onEvents: async (_board, events) => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          deepest = Math.max(deepest, recorder.metrics.queueDepths()['intake']!);
          marks.store(events);
        },
      });
      await fixture.publish(board, 4_000);
      await eventually(() => expect(marks.marks.get('events aaaaaaaa')).toBe(4_000), { timeoutMs: 10_000 });
      expect(deepest).toBeLessThanOrEqual(2_000);
    });

    test('hands over what is left of an epoch before the next one starts behind its own mark', async () => {
      const board = fixture.log.create('events');
      const marks = new TestMarks();
      const order: string[] = [];
      await fixture.follow({
        marks,
        onEvents: async (_board, events) => {
          await new Promise((resolve) => setTimeout(resolve, 20));
          marks.store(events);
          order.push(`${events[0]!.epoch} ${events.at(-1)!.seq}`);
        },
        onEpoch: (name, { epoch }) => {
          order.push(`${name} ${epoch}`);
          // What was there before the new epoch is known already.
          if (epoch === 'bbbbbbbb') marks.marks.set('events bbbbbbbb', 3);
        },
      });
      await fixture.publish(board, 5);
      await eventually(() => expect(order).toContain('aaaaaaaa 5'));
      fixture.log.startEpoch(board, 'bbbbbbbb', 3);
      await fixture.publish(board, 2);
      await eventually(() => expect(order.at(-1)).toBe('bbbbbbbb 5'));
      const switched = order.findIndex((entry) => entry.startsWith('events bbbbbbbb'));
      expect(order.slice(0, switched).every((entry) => !entry.startsWith('bbbbbbbb'))).toBe(true);
    });

    test('one board whose handler always fails does not hold up the others', async () => {
      const stuck = fixture.log.create('stuck');
      const fine = fixture.log.create('fine');
      const marks = new TestMarks();
      await fixture.follow({
        marks,
        durable: 'reader-v1',
        queueMax: 64,
        onEvents: (name, events) => {
          if (name === 'stuck') throw new Error('never');
          marks.store(events);
        },
      });
      await fixture.publish(stuck, 300);
      await fixture.publish(fine, 300);
      await eventually(() => expect(marks.marks.get('fine aaaaaaaa')).toBe(300));
    });
  });
});
