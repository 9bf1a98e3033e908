import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { AckedPublisher, Bus, BusMessage, DurableConsumption, OrderedConsumption } from '@boardwire/messaging';
import { eventually } from '@boardwire/test-kit';
import { MessagingFixture, notes, numberOf, publishNumber, publishNumbers, range } from './messaging-fixture.ts';

const recoverWithin = { timeoutMs: 3_000 };

describe('consumption', () => {
  let fixture: MessagingFixture;
  let bus: Bus;
  let publisher: AckedPublisher;
  const open: { close(): Promise<void> }[] = [];
  beforeAll(async () => void (fixture = await MessagingFixture.start()));
  afterEach(async () => {
    await Promise.all(open.splice(0).map((consumption) => consumption.close()));
    await fixture.reset();
  });
  afterAll(() => fixture.stop());

  async function prepare(): Promise<void> {
    bus = await fixture.connect();
    await bus.streams.ensure(notes);
    publisher = bus.publisher({ windowMax: 10_000, ackTimeoutMs: 2_000 });
  }

  async function follow(received: number[], sequence?: number, subjects = notes.subjects): Promise<OrderedConsumption> {
    const consumption = bus.consumeOrdered({
      stream: notes.name,
      subjects,
      start: sequence === undefined ? { from: 'new' } : { from: 'sequence', sequence },
      onMessage: (message) => received.push(numberOf(message)),
    });
    open.push(consumption);
    await eventually(() => expect(consumption.isAttached).toBe(true));
    return consumption;
  }

  async function bind(received: BusMessage[], maxAckPending = 1_000): Promise<DurableConsumption> {
    const consumption = bus.consumeDurable({
      stream: notes.name,
      durable: 'reader-v1',
      subjects: notes.subjects,
      onMessage: (message) => received.push(message),
      maxAckPending,
    });
    open.push(consumption);
    await eventually(() => expect(consumption.isAttached).toBe(true));
    return consumption;
  }

  describe('ordered', () => {
    test('delivers everything from a sequence on in order, with headers and stream sequence', async () => {
      await prepare();
      await publishNumbers(publisher, 1, 5_000);
      const received: number[] = [];
      const consumption = await follow(received, 1_001);
      await publishNumbers(publisher, 5_001, 6_000);
      await eventually(() => expect(received).toHaveLength(5_000));
      expect(received).toEqual(range(1_001, 6_000));
      expect(consumption.pending).toBe(0);
    });

    test('from new delivers what comes after it was attached', async () => {
      await prepare();
      await publishNumbers(publisher, 1, 10);
      const received: number[] = [];
      await follow(received);
      await publishNumbers(publisher, 11, 20);
      await eventually(() => expect(received).toEqual(range(11, 20)));
    });

    test('takes several subjects in one consumer, where the server can', async () => {
      await prepare();
      if (fixture.server.nats.version.startsWith('2.9.')) {
        const subjects = ['note.a', 'note.b'];
        open.push(bus.consumeOrdered({ stream: notes.name, subjects, start: { from: 'new' }, onMessage: () => {} }));
        await eventually(() => expect(fixture.logger.events).toContain('nats.consumption_interrupted'));
        return;
      }
      const received: number[] = [];
      await follow(received, 1, ['note.a', 'note.b.>']);
      await publisher.publish('note.b.c', Buffer.from('1'), {});
      await publisher.publish('note.c', Buffer.from('2'), {});
      await publisher.publish('note.a', Buffer.from('3'), {});
      await eventually(() => expect(received).toEqual([1, 3]));
    });

    test('goes on by itself within 2 s of a killed server’s restart, without a gap or a repeat', async () => {
      await prepare();
      const received: number[] = [];
      await follow(received);
      await publishNumbers(publisher, 1, 100);
      await eventually(() => expect(received).toHaveLength(100));
      await fixture.server.nats.kill();
      await fixture.server.nats.start();
      const startedAt = performance.now();
      await eventually(() => publishNumber(publisher, 101));
      await eventually(() => expect(received).toHaveLength(101), { timeoutMs: 2_000 });
      expect(performance.now() - startedAt).toBeLessThan(2_000);
      expect(received).toEqual(range(1, 101));
    });

    test('notices a server that hangs, and goes on when it answers again', async () => {
      await prepare();
      const received: number[] = [];
      const consumption = await follow(received);
      await publishNumbers(publisher, 1, 10);
      await fixture.server.nats.pause();
      await eventually(() => expect(consumption.isAttached).toBe(false), recoverWithin);
      await fixture.server.nats.resume();
      await eventually(() => publishNumber(publisher, 11), recoverWithin);
      await eventually(() => expect(received).toEqual(range(1, 11)), { timeoutMs: 8_000 });
    });

    test('follows a deleted and recreated stream from its first message', async () => {
      await prepare();
      const received: number[] = [];
      await follow(received);
      await publishNumbers(publisher, 1, 50);
      await eventually(() => expect(received).toHaveLength(50));
      await bus.streams.delete(notes.name);
      await bus.streams.ensure(notes);
      await publishNumbers(publisher, 51, 60);
      await eventually(() => expect(received).toEqual(range(1, 60)), recoverWithin);
    });

    test('waits for a stream that does not exist yet', async () => {
      await prepare();
      await bus.streams.delete(notes.name);
      const received: number[] = [];
      open.push(
        bus.consumeOrdered({
          stream: notes.name,
          subjects: notes.subjects,
          start: { from: 'sequence', sequence: 1 },
          onMessage: (message) => received.push(numberOf(message)),
        }),
      );
      await bus.streams.ensure(notes);
      await publishNumbers(publisher, 1, 3);
      await eventually(() => expect(received).toEqual([1, 2, 3]), recoverWithin);
    });

    test('restarted from new, it skips what the stream holds', async () => {
      await prepare();
      const received: number[] = [];
      const consumption = await follow(received);
      consumption.restartFromNew();
      expect(consumption.isAttached).toBe(true);
      await eventually(() => expect(fixture.logger.events).toContain('nats.consumption_interrupted'));
      await eventually(() => expect(consumption.isAttached).toBe(true));
      await publishNumbers(publisher, 1, 3);
      await eventually(() => expect(received).toEqual([1, 2, 3]));
    });

    test('delivers nothing after close, and leaves no consumer that it would still pull from', async () => {
      await prepare();
      const received: number[] = [];
      const consumption = await follow(received);
      await consumption.close();
      await publishNumbers(publisher, 1, 3);
      const witness: number[] = [];
      await follow(witness, 1);
      await eventually(() => expect(witness).toHaveLength(3));
      expect(received).toEqual([]);
    });
  });

  describe('durable', () => {
    test('another instance goes on behind the last acknowledged message', async () => {
      await prepare();
      await publishNumbers(publisher, 1, 20);
      const first: BusMessage[] = [];
      const consumption = await bind(first);
      await eventually(() => expect(first).toHaveLength(20));
      consumption.ackThrough(first[9]!);
      consumption.ackThrough(first[19]!);
      await publishNumbers(publisher, 21, 21);
      await eventually(() => expect(first).toHaveLength(21));
      consumption.ackThrough(first[20]!);
      await consumption.close();
      await publishNumbers(publisher, 22, 25);
      const second: BusMessage[] = [];
      await bind(second);
      await eventually(() => expect(second.map(numberOf)).toEqual([22, 23, 24, 25]));
    });

    test('delivers no more than it may leave unacknowledged, and goes on after an acknowledgement', async () => {
      await prepare();
      await publishNumbers(publisher, 1, 30);
      const received: BusMessage[] = [];
      const consumption = await bind(received, 10);
      await eventually(() => expect(received).toHaveLength(10));
      consumption.ackThrough(received[9]!);
      await eventually(() => expect(received).toHaveLength(20));
      consumption.ackThrough(received[19]!);
      await eventually(() => expect(received.map(numberOf)).toEqual(range(1, 30)));
    });

    test('what an instance pulled and never acknowledged comes to the next one at once, and nothing before it', async () => {
      await prepare();
      await publishNumbers(publisher, 1, 30);
      const first: BusMessage[] = [];
      const died = await bind(first, 10);
      await eventually(() => expect(first).toHaveLength(10));
      died.ackThrough(first[4]!);
      await eventually(() => expect(first.map(numberOf)).toEqual(range(1, 15)));
      await died.close();
      const second: BusMessage[] = [];
      const next = await bind(second, 10);
      await eventually(() => expect(second.map(numberOf)).toEqual(range(6, 15)));
      next.ackThrough(second.at(-1)!);
      await eventually(() => expect(second.map(numberOf)).toEqual(range(6, 25)));
      next.ackThrough(second.at(-1)!);
      await eventually(() => expect(second.map(numberOf)).toEqual(range(6, 30)));
      next.ackThrough(second.at(-1)!);
      await publishNumbers(publisher, 31, 31);
      await eventually(() => expect(second.map(numberOf)).toEqual(range(6, 31)));
      next.ackThrough(second.at(-1)!);
      await next.close();
      const third: BusMessage[] = [];
      await bind(third, 10);
      await publishNumbers(publisher, 32, 32);
      await eventually(() => expect(third.map(numberOf)).toEqual([32]));
    });

    test('an instance that comes to one at work takes nothing from it', async () => {
      await prepare();
      await publishNumbers(publisher, 1, 30);
      const first: BusMessage[] = [];
      const working = await bind(first, 10);
      await eventually(() => expect(first).toHaveLength(10));
      const second: BusMessage[] = [];
      await bind(second, 10);
      for (let round = 1; round <= 3; round += 1) {
        const all = [...first, ...second];
        expect(all.map(numberOf).toSorted((one, other) => one - other)).toEqual(range(1, round * 10));
        expect(working.isAttached).toBe(true);
        if (round === 3) break;
        working.ackThrough(all.find((message) => numberOf(message) === round * 10)!);
        await eventually(() => expect(first.length + second.length).toBe((round + 1) * 10));
      }
    });

    test('an existing consumer is brought to a changed configuration', async () => {
      await prepare();
      await publishNumbers(publisher, 1, 30);
      const first: BusMessage[] = [];
      const consumption = await bind(first, 10);
      await eventually(() => expect(first).toHaveLength(10));
      consumption.ackThrough(first[9]!);
      await eventually(() => expect(first).toHaveLength(20));
      consumption.ackThrough(first[19]!);
      await eventually(() => expect(first).toHaveLength(30));
      consumption.ackThrough(first[29]!);
      await consumption.close();
      await publishNumbers(publisher, 31, 60);
      const second: BusMessage[] = [];
      await bind(second, 30);
      await eventually(() => expect(second.map(numberOf)).toEqual(range(31, 60)));
    });

    test('goes on after a kill, and in a recreated stream from its first message', async () => {
      await prepare();
      const received: BusMessage[] = [];
      const consumption = await bind(received);
      await publishNumbers(publisher, 1, 10);
      await eventually(() => expect(received).toHaveLength(10));
      consumption.ackThrough(received[9]!);
      await fixture.server.nats.kill();
      await fixture.server.nats.start();
      await eventually(() => publishNumber(publisher, 11));
      await eventually(() => expect(received.map(numberOf)).toContain(11), recoverWithin);
      const stale = received.at(-1)!;
      await bus.streams.delete(notes.name);
      await bus.streams.ensure(notes);
      await publishNumbers(publisher, 12, 15);
      await eventually(() => expect(received.map(numberOf).slice(-4)).toEqual([12, 13, 14, 15]), recoverWithin);
      // Of a stream that is gone: must not acknowledge anything in the new one.
      consumption.ackThrough(stale);
      expect(consumption.isAttached).toBe(true);
    });
  });
});
