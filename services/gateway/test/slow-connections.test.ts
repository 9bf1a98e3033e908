import { describe, expect, test } from '@jest/globals';
import type { WebSocket } from 'ws';
import { ConnectionDesk } from '../src/connections/desk.ts';
import { Connections } from '../src/connections/connections.ts';
import { Deadlines } from '../src/connections/deadlines.ts';
import type { EndReason, OpenConnection } from '../src/connections/open-connection.ts';
import { OutboxBudget } from '../src/connections/outbox-budget.ts';
import { Wheel } from '../src/connections/wheel.ts';
import { noticedBytes, Outbox } from '../src/delivery/outbox.ts';
import { Pulse } from '../src/ws/pulse.ts';
import { TestSocket } from './support/memory-board.ts';

const bounds = { bytesMax: 10_000, eventsMax: 1_000, onOverflow: () => {} };

describe('deadlines', () => {
  test('come in the order of their beginnings, and not for who has done it', () => {
    const deadlines = new Deadlines<string>(100);
    for (const [at, name] of ['a', 'b', 'c', 'd'].entries()) deadlines.set(name, at * 10);
    deadlines.delete('b');
    deadlines.set('a', 50);
    expect(deadlines.takeLate(119)).toEqual([]);
    expect(deadlines.takeLate(130)).toEqual(['c', 'd']);
    expect(deadlines.takeLate(130)).toEqual([]);
    expect(deadlines.takeLate(150)).toEqual(['a']);
    expect(deadlines.size).toBe(0);
  });
});

describe('the pulse of a socket', () => {
  function pulse() {
    const webSocket = { readyState: 1, OPEN: 1 } as unknown as WebSocket;
    const socket = new TestSocket().asSocket();
    const frames: Buffer[] = [];
    socket.write = (frame: Uint8Array | string) => frames.push(frame as Buffer) > 0;
    const outbox = new Outbox(socket, { ...bounds, bytesMax: 1e9, onMuchWritten: () => asked++ });
    let asked = 0;
    let cuts = 0;
    const reading = { asked: new Deadlines<Pulse>(1_000), onUnread: () => cuts++ };
    return {
      pulse: new Pulse(webSocket, outbox, reading),
      cuts: () => cuts,
      reading,
      outbox,
      /** The payloads of the ping frames (RFC 6455, 5.2) that went out. */
      pings: () => frames.filter(([first]) => first === 0x89).map((frame) => frame.toString('latin1', 2)),
      asked: () => asked,
    };
  }

  test('tells what its client has not read, by the last ping that came back', () => {
    const { pulse: it, outbox, pings, asked } = pulse();
    outbox.write(Buffer.alloc(1_000));
    it.ask();
    outbox.write(Buffer.alloc(500));
    expect(it.unreadBytes).toBe(1_500);
    it.pong(Buffer.from(pings()[0]!));
    expect(it.unreadBytes).toBe(500);
    expect(it.isAsked).toBe(false);
    expect(asked()).toBe(0);
    for (let at = 0; at < 4; at += 1) outbox.write(Buffer.alloc(noticedBytes / 2));
    expect(asked()).toBe(2);
  });

  test('ends a connection whose client was asked and has much unread for too long', () => {
    const { pulse: it, outbox, reading, cuts, pings } = pulse();
    outbox.write(Buffer.alloc(1_000));
    it.ask();
    it.ask();
    expect([pings().length, reading.asked.size]).toEqual([1, 1]);
    for (const late of reading.asked.takeLate(performance.now() + 2_000)) late.late(1_000);
    expect([cuts(), reading.asked.size]).toEqual([0, 1]);
    outbox.write(Buffer.alloc(1));
    for (const late of reading.asked.takeLate(performance.now() + 2_000)) late.late(1_000);
    expect(cuts()).toBe(1);
    it.stop();
    expect(reading.asked.size).toBe(0);
  });

  test.each([
    ['an older one', '10'],
    ['more than was written', '9999999'],
    ['rubbish', 'abc'],
    ['nothing', ''],
  ])('takes a pong with %s for a sign of life and nothing else', (_what, mark) => {
    const { pulse: it, outbox, pings } = pulse();
    outbox.write(Buffer.alloc(1_000));
    it.ask();
    it.pong(Buffer.from(pings()[0]!));
    outbox.write(Buffer.alloc(1_000));
    it.ask();
    expect([it.beat(), it.beat(), it.beat()]).toEqual([true, true, false]);
    it.pong(Buffer.from(mark));
    expect(it.beat()).toBe(true);
    expect(it.unreadBytes).toBe(1_000);
    expect(it.isAsked).toBe(true);
  });
});

describe('the budget of all outboxes', () => {
  function site(bytesMax: number) {
    const cuts: string[] = [];
    const connections = new Connections();
    const desk = new ConnectionDesk({
      connections,
      heartbeats: new Wheel(1_000, () => {}),
      metrics: { slowCut: (why: string) => cuts.push(why) } as never,
      logger: {} as never,
    });
    const add = (number: number) => {
      const ends: EndReason[] = [];
      const socket = new TestSocket();
      socket.isPaused = true;
      const outbox = new Outbox(socket.asSocket(), bounds);
      const end = (reason: EndReason) => (ends.push(reason), outbox.finish(undefined, () => {}));
      const base = { number, openedAt: 0, transport: 'sse' as const, access: undefined };
      const connection: OpenConnection & { ends: EndReason[] } = {
        ...base,
        outbox,
        ends,
        end,
        heartbeat: () => {},
        tellStalled: () => {},
      };
      connections.add(connection);
      return { connection, outbox, ends, socket };
    };
    return { budget: new OutboxBudget(desk, bytesMax), add, cuts };
  }

  test('cuts those who owe most, and no more than it must', () => {
    const { budget, add, cuts } = site(20_000);
    const all = [1, 2, 3, 4, 5, 6].map((number) => add(number));
    for (const [at, { outbox }] of all.entries()) outbox.write(Buffer.alloc((at + 1) * 1_500));
    // What was written since the last look may be on its way out.
    budget.look();
    expect(cuts).toEqual([]);
    budget.look();
    expect(all.map(({ ends }) => ends)).toEqual([[], [], [], [], ['slow'], ['slow']]);
    expect(cuts).toEqual(['total', 'total']);
    budget.look();
    expect(cuts).toHaveLength(2);
    for (const { socket } of all) socket.destroy();
  });

  test('counts nobody who takes what is written, however much that is', async () => {
    const { budget, add, cuts } = site(1_000);
    const { outbox, socket } = add(1);
    socket.unpause();
    for (let at = 0; at < 50; at += 1) {
      outbox.write(Buffer.alloc(9_000));
      budget.look();
      // oxlint-disable-next-line no-await-in-loop -- at the client's pace
      await new Promise((resolve) => {
        setImmediate(() => setImmediate(resolve));
      });
    }
    expect(cuts).toEqual([]);
    socket.destroy();
  });
});
