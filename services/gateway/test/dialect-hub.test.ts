import { describe, expect, test } from '@jest/globals';
import { eventually } from '@boardwire/test-kit';
import { redactedType, redactionSource } from '@boardwire/contracts';
import type { DialectStream } from '@boardwire/dialects';
import { Boards } from '../src/delivery/boards.ts';
import { FilterSet } from '../src/delivery/filter-set.ts';
import type { LiveMember } from '../src/delivery/live-group.ts';
import { DialectHub } from '../src/dialects/dialect-hub.ts';
import { epoch, MemoryLog, quietPasses } from './support/memory-board.ts';

let encodings = 0;
const stream: DialectStream = {
  path: '/old/events/',
  token: 'bearer',
  parse: () => ({ board: 'events', subjects: ['chat'], formatKey: 'utc' }),
  snapshot: { last: 3 },
  mode: { kind: 'cumulative', max: 5 },
  openingComment: 'connected',
  keepaliveMs: 1_000,
  keepaliveComment: 'keepalive',
  encode: (events) => {
    encodings += 1;
    return `${events.map(({ id }) => id).join()}\n`;
  },
  errorBody: (message) => ({ error: message }),
};

class Client implements LiveMember {
  joinedAt = 0;
  readonly lists: string[] = [];
  readonly buffers: Buffer[] = [];
  deliver(bytes: Buffer): void {
    this.buffers.push(bytes);
    this.lists.push(bytes.toString().trim());
  }
  onReset(): void {
    this.lists.push('reset');
  }
  onBehind(): void {}
  onInterrupted(): void {}
  fail(error: unknown): void {
    this.lists.push(String(error));
  }
}

function setUp(max = 5, filters = ['chat']) {
  const log = new MemoryLog();
  const boards = new Boards({
    assertExists: () => Promise.resolve(),
    ring: { eventsMax: 16, bytesMax: 1e6 },
    observer: quietPasses,
    onRemoved: () => {},
    onLearned: () => {},
    onPruned: () => {},
    onRulesChanged: () => {},
  });
  boards.startEpoch('events', epoch, 0);
  const channel = boards.channel('events')!;
  const hub = new DialectHub(boards, log);
  const wanted = new FilterSet(filters);
  const bounded: DialectStream = { ...stream, mode: { kind: 'cumulative', max } };
  const open = async (client: Client) =>
    hub.subscribe({
      channel,
      wanted,
      stream: bounded,
      formatKey: 'utc',
      framing: 'plain',
      member: client,
      onSnapshot: (bytes) => client.deliver(bytes),
    });
  return { log, channel, open };
}

describe('a dialect stream', () => {
  test('opens with the newest of the filter, then sends the growing list, bounded', async () => {
    const { log, channel, open } = setUp();
    for (let at = 0; at < 4; at += 1) channel.append([log.add('chat'), log.add('noise')]);
    const client = new Client();
    await open(client);
    expect(client.lists).toEqual(['3,5,7']);
    for (let at = 0; at < 3; at += 1) {
      channel.append([log.add('noise'), log.add('chat')]);
      // oxlint-disable-next-line no-await-in-loop -- one list for each
      await eventually(() => expect(client.lists).toHaveLength(at + 2), { everyMs: 1 });
    }
    expect(client.lists).toEqual(['3,5,7', '3,5,7,10', '3,5,7,10,12', '5,7,10,12,14']);
  });

  test('encodes once for all who share its format, and shares the bytes', async () => {
    const { log, channel, open } = setUp();
    const clients = Array.from({ length: 50 }, () => new Client());
    await Promise.all(clients.map(open));
    encodings = 0;
    channel.append([log.add('chat')]);
    await eventually(() => expect(clients.every(({ lists }) => lists.length === 2)).toBe(true));
    expect(encodings).toBe(1);
    expect(new Set(clients.map(({ buffers }) => buffers[1])).size).toBe(1);
  });

  test('misses nothing that comes while its snapshot is read, and starts anew when all have left', async () => {
    const { log, channel, open } = setUp();
    channel.append([log.add('chat')]);
    const first = new Client();
    const opening = open(first);
    channel.append([log.add('chat')]);
    const leave = await opening;
    expect(first.lists).toEqual(['1,2']);
    leave();
    leave();
    expect(channel.members).toBe(0);
    channel.append([log.add('chat'), log.add('chat')]);
    const second = new Client();
    await open(second);
    expect(second.lists).toEqual(['2,3,4']);
    channel.restart('epoch002', 0);
    expect(second.lists.at(-1)).toBe('reset');
  });

  test('lets the oldest of its list go when they are large, so that a post never costs more than a megabyte', async () => {
    const { log, channel, open } = setUp(200);
    const client = new Client();
    await open(client);
    const large = Buffer.from(JSON.stringify({ subject: 'chat', data: 'x'.repeat(60_000) }));
    for (let at = 0; at < 40; at += 1) channel.append([{ ...log.add('chat'), bytes: large }]);
    await eventually(() => expect(client.lists.at(-1)!.split(',').at(-1)).toBe('40'));
    expect(client.lists.at(-1)!.split(',')).toHaveLength(17);
  });

  test('takes what was removed out of its list at once, by the platform’s own notice alone', async () => {
    const { log, channel, open } = setUp();
    const origin = `bs1${'a'.repeat(52)}`;
    const said = (more: object = {}) => {
      const event = log.add('chat');
      const json = { id: `e${event.seq}`, source: '/users/u1', origin, subject: 'chat', class: 'log', ...more };
      return { ...event, bytes: Buffer.from(JSON.stringify(json)) };
    };
    const client = new Client();
    await open(client);
    channel.append([said(), said(), said()]);
    const data = { origin, source: '/users/u1', id: 'e2' };
    channel.append([said({ type: redactedType, data })]);
    await eventually(() => expect(client.lists.at(-1)).toBe('1,2,3,4'));
    channel.append([said({ type: redactedType, source: redactionSource, data })]);
    await eventually(() => expect(client.lists.at(-1)).toBe('1,3,4'));
    const late = new Client();
    await open(late);
    expect(late.lists).toEqual(['1,3,4']);
  });

  test('doesn’t show again what stands on a subject that was closed since', async () => {
    const { log, channel, open } = setUp(5, ['chat', 'staff']);
    channel.append([log.add('chat'), log.add('staff')]);
    const client = new Client();
    await open(client);
    expect(client.lists).toEqual(['1,2']);
    channel.setRules([{ pattern: 'staff', class: 'log', access: 'members' }]);
    channel.append([log.add('staff'), log.add('chat')]);
    await eventually(() => expect(client.lists).toHaveLength(2));
    expect(client.lists[1]).toBe('1,4');
    const late = new Client();
    await open(late);
    expect(late.lists).toEqual(['1,4']);
  });
});
