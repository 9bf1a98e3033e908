import { describe, expect, test } from '@jest/globals';
import {
  auditEntriesQuerySchema,
  auditExportQuerySchema,
  auditFilterNames,
  auditFilterOf,
  auditFilterSchema,
  auditTailQuerySchema,
  decisionSchema,
} from '@boardwire/contracts';

const sha = 'AB'.repeat(32);

describe('the audit’s filter', () => {
  test('takes one or several of what matches exactly, and reads what is typed', () => {
    const query = { board: 'events', actor: ['ana', 'ben'], forced_hold: 'false', hash: sha, q: 'BTC', subject: 'a.*' };
    expect(auditFilterSchema.parse(query)).toEqual({
      board: ['events'],
      actor: ['ana', 'ben'],
      forced_hold: false,
      hash: [sha.toLowerCase()],
      q: 'BTC',
      subject: 'a.*',
    });
  });

  test.each([
    { subject: ['a', 'b'] },
    { subject: 'a..b' },
    { q: '' },
    { q: 'a\u0000b' },
    { actor: '\u0000' },
    { q: 'x'.repeat(129) },
    { from: '2026-11-01' },
    { to: 'now' },
    { readiness: 'ok' },
    { day: '2026-02-30' },
    { day: '0000-01-01' },
    { kind: ['event', 'other'] },
    { hash: 'ab' },
    { trace: sha },
    { forced_hold: '1' },
    { board: Array.from({ length: 17 }, (_, at) => `b${at}`) },
  ])('refuses %j', (query) => {
    expect(auditFilterSchema.safeParse(query).success).toBe(false);
  });

  test('refuses a name that it doesn’t know, and says which there are', () => {
    for (const schema of [
      auditFilterSchema,
      auditEntriesQuerySchema,
      auditExportQuerySchema,
      auditTailQuerySchema,
    ] as const) {
      const { error } = schema.safeParse({ sybmol: 'BTC' });
      expect(error?.issues[0]?.message).toMatch(/^sybmol: not known here; there are .*symbol/);
    }
  });

  test('is told apart from what else stands in a query', () => {
    const query = auditEntriesQuerySchema.parse({ board: 'events', limit: '7', cursor: '12', order: 'oldest' });
    expect(query).toMatchObject({ limit: 7, cursor: 12, order: 'oldest' });
    expect(auditFilterOf(query)).toEqual({ board: ['events'] });
    expect(auditFilterNames).toHaveLength(19);
  });
});

test('a decision may name its trace', () => {
  const decision = { number: 1, action: 'a', outcome: 'done', actor: 'x', at: '2026-11-01T00:00:00Z' };
  expect(decisionSchema.parse({ ...decision, trace: 'a1'.repeat(16) }).trace).toBe('a1'.repeat(16));
  expect(decisionSchema.safeParse({ ...decision, trace: 'A1'.repeat(16) }).success).toBe(false);
});
