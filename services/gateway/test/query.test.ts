import { describe, expect, test } from '@jest/globals';
import { parseHistoryQuery, parseStreamQuery } from '../src/http/query.ts';
import { historyAnswer, linkHeader } from '../src/http/history-answer.ts';

const cursor = { epoch: 'epoch001', seq: 4 };

describe('the query of a stream', () => {
  test('takes its start from Last-Event-ID, else after, else last, else live', () => {
    const all = { after: 'epoch001-3', last: '5' };
    expect(parseStreamQuery(all, 'epoch001-4').start).toEqual({ kind: 'after', cursor });
    expect(parseStreamQuery(all, '').start).toEqual({ kind: 'after', cursor: { ...cursor, seq: 3 } });
    expect(parseStreamQuery({ last: '5' }, undefined).start).toEqual({ kind: 'last', count: 5 });
    expect(parseStreamQuery({}, undefined).start).toEqual({ kind: 'live' });
    expect(parseStreamQuery({ after: 'start' }, undefined).start).toEqual({ kind: 'beginning' });
  });

  test('tells in the stream, and not by a status, that a held id is no cursor', () => {
    expect(parseStreamQuery({}, 'what\u0000ever').start).toEqual({ kind: 'unreadable', requested: 'what?ever' });
    expect(() => parseStreamQuery({ after: 'what-ever' }, undefined)).toThrow('invalid_cursor');
  });

  test.each([
    { named: '2' },
    { last: '1e2' },
    { last: ' 5' },
    { subject: 'a..b' },
    { tz: 'UTC' },
    { after: ['a', 'b'] },
  ])('refuses %j', (query) => {
    expect(() => parseStreamQuery(query, undefined)).toThrow(/invalid/);
  });
});

describe('history', () => {
  test('reads both ends of a window, of one epoch', () => {
    expect(parseHistoryQuery({ after: 'epoch001-4', before: 'epoch001-9' })).toMatchObject({
      after: cursor,
      before: { seq: 9 },
      limit: 50,
    });
    expect(() => parseHistoryQuery({ after: 'epoch001-4', before: 'epoch002-9' })).toThrow('invalid_cursor');
  });

  test('splices stored bytes, and links to what comes before and after', () => {
    const page = {
      board: 'events',
      epoch: 'epoch001',
      head: 9,
      oldest: 3,
      items: [{ cursor: 'epoch001-4', body: '{"id":"x","data":"\\"events\\":[]"}' }],
      next: 'epoch001-4',
      prev: null,
    };
    expect(JSON.parse(historyAnswer(page))).toEqual({
      board: 'events',
      epoch: 'epoch001',
      head: 'epoch001-9',
      oldest: 'epoch001-2',
      events: [{ cursor: 'epoch001-4', id: 'x', data: '"events":[]' }],
      next: 'epoch001-4',
      prev: null,
    });
    expect(linkHeader('/v1/boards/events/events?subject=a.%3E&before=epoch001-7&limit=1', page)).toBe(
      '</v1/boards/events/events?subject=a.%3E&limit=1&after=epoch001-4>; rel="next"',
    );
  });
});
