import { describe, expect, test } from '@jest/globals';
import { routeOwner } from '@boardwire/contracts';
import type { DialectEvent } from '../dialect.ts';
import { axonchatEvents, dialects } from '../index.ts';

function message(id: number, text: unknown, more: Partial<DialectEvent['event']> = {}): DialectEvent {
  const event = {
    specversion: '1.0' as const,
    id: `e${id}`,
    source: '/users/u1',
    type: 'chat.message.posted',
    subject: 'AxonChat.lobby',
    time: '2026-03-01T13:05:09.250Z',
    data: { text } as never,
    board: 'events',
    author: 'u1',
    authorname: 'ana',
    origin: 'bs1',
    class: 'log' as const,
    ...more,
  };
  return { id, cursor: `abcdefgh-${id}`, event };
}

function decoded(text: string): { messages: Record<string, unknown>[] } {
  expect(text).toMatch(/^data: [^\r\n]*\n\n$/);
  return JSON.parse(text.slice('data: '.length)) as { messages: Record<string, unknown>[] };
}

describe('the list', () => {
  test('has messages as the clients know them, in the order given, in one unnamed event', () => {
    const list = decoded(axonchatEvents.encode([message(7, 'ciao'), message(8, 'שלום\n你好 👩‍🚀')], 'Europe/Rome'));
    expect(list).toEqual({
      messages: [
        {
          id: 7,
          timestamp: '2026-03-01T13:05:09.250Z',
          display_time: '2:05:09 PM',
          user: 'ana',
          user_pubkey: null,
          text: 'ciao',
        },
        expect.objectContaining({ id: 8, text: 'שלום\n你好 👩‍🚀' }),
      ],
    });
  });

  test('is there when nothing was said yet', () => {
    expect(axonchatEvents.encode([], 'UTC')).toBe('data: {"messages":[]}\n\n');
  });

  test.each([
    ['2026-03-01T00:00:00Z', 'UTC', '12:00:00 AM'],
    ['2026-03-01T12:00:07Z', 'UTC', '12:00:07 PM'],
    ['2026-03-01T09:07:05+02:00', 'UTC', '7:07:05 AM'],
    ['2026-03-29T01:00:00Z', 'Europe/Rome', '3:00:00 AM'],
    ['2026-03-01T13:05:09Z', 'Asia/Kolkata', '6:35:09 PM'],
  ])('shows %s in %s as %s', (time, zone, shown) => {
    const [first] = decoded(axonchatEvents.encode([message(1, 'x', { time })], zone)).messages;
    expect(first).toMatchObject({ display_time: shown, timestamp: new Date(time).toISOString() });
  });

  test('leaves out what has no text, and a time that is none', () => {
    const events = [
      message(1, 5),
      message(2, undefined),
      message(3, 'x', { data: null }),
      message(4, 'x', { data: ['text'] }),
      message(5, 'x', { time: 'yesterday' }),
      message(6, 'kept'),
    ];
    expect(decoded(axonchatEvents.encode(events, 'UTC')).messages.map(({ id }) => id)).toEqual([6]);
  });

  test('has null for somebody without a name', () => {
    expect(
      decoded(axonchatEvents.encode([message(1, 'x', { authorname: '' })], 'UTC')).messages[0]?.['user'],
    ).toBeNull();
  });

  test('cannot be broken out of by a text', () => {
    const text = 'a\r\n\r\nevent: revoked\ndata: x\u2028\u0000';
    expect(decoded(axonchatEvents.encode([message(1, text)], 'UTC')).messages[0]).toMatchObject({ text });
  });
});

describe('a request', () => {
  test('reads the applet’s name and the lobby', () => {
    expect(axonchatEvents.parse({}).subjects).toEqual(['AxonChat', 'AxonChat.lobby']);
  });

  test.each([
    [undefined, 'UTC'],
    ['', 'UTC'],
    ['Mars/Base', 'UTC'],
    ['+05:45', 'UTC'],
    ['../../etc', 'UTC'],
    ['europe/rome', 'Europe/Rome'],
    ['America/New_York', 'America/New_York'],
  ])('with tz %s is in %s', (tz, zone) => {
    expect(axonchatEvents.parse({ tz }).formatKey).toBe(zone);
  });
});

test('every stream of a dialect ends at the gateway, refuses in its own words, and has its path alone', () => {
  const paths = dialects.flatMap((dialect) => dialect.streams.map((stream) => stream.path));
  expect(new Set(paths).size).toBe(paths.length);
  for (const dialect of dialects) {
    for (const { path } of dialect.streams) {
      expect(routeOwner(path)).toMatchObject({ prefix: path, owner: 'gateway', errors: dialect.name });
    }
  }
  expect(axonchatEvents.errorBody('no')).toEqual({ error: 'no' });
});
