import { describe, expect, test } from '@jest/globals';
import { auditFilterNames } from '@boardwire/contracts';
import { seededRandom } from '@boardwire/test-kit';
import {
  addressOf,
  conditionsOf,
  searchOf,
  toggled,
  withFilter,
  type ExplorerAddress,
  type Filter,
} from '../src/features/audit/explorer-address.ts';
import { shiftDay, shiftDayByMonths, weeksOf } from '../src/features/audit/calendar.ts';
import { changesOf } from '../src/features/audit/changes.ts';
import { instantOf, localInputOf } from '../src/features/audit/instants.ts';

const random = seededRandom();
const pick = <T>(items: readonly T[]) => items[Math.floor(random.next() * items.length)]!;

describe('an address', () => {
  test('of the explorer as it opens is empty', () => {
    expect(addressOf(new URLSearchParams())).toEqual({ filter: {}, order: 'newest', isLive: false, entry: undefined });
    expect(searchOf(addressOf(new URLSearchParams())).toString()).toBe('');
  });

  test('comes back from its own text, whatever is chosen', () => {
    for (let round = 0; round < 200; round += 1) {
      const address = someAddress();
      expect(addressOf(new URLSearchParams(searchOf(address).toString()))).toEqual(address);
    }
  });

  test('says the same of the same choice, in whatever order it was made', () => {
    const one = toggled(toggled({}, 'actor', 'ana'), 'board', 'events');
    const other = toggled(toggled({}, 'board', 'events'), 'actor', 'ana');
    const whole = (filter: Filter) => searchOf({ filter, order: 'newest', isLive: false, entry: 3 }).toString();
    expect(whole(one)).toBe(whole(other));
  });

  test('ignores what it doesn’t know, and what is no entry', () => {
    const address = addressOf(new URLSearchParams('colour=red&entry=-1&order=sideways&live=yes&actor=&board=events'));
    expect(address).toEqual({ filter: { board: ['events'] }, order: 'newest', isLive: false, entry: undefined });
  });
});

describe('a filter', () => {
  test('takes a value on and off', () => {
    const once = toggled({}, 'outcome', 'refused');
    expect(once).toEqual({ outcome: ['refused'] });
    expect(toggled(once, 'outcome', 'done')).toEqual({ outcome: ['refused', 'done'] });
    expect(toggled(once, 'outcome', 'refused')).toEqual({});
  });

  test('replaces a condition of which there can be one', () => {
    expect(toggled({ subject: ['a.>'] }, 'subject', 'b.>')).toEqual({ subject: ['b.>'] });
    expect(withFilter({ q: ['old'] }, 'q', [])).toEqual({});
  });

  test('lists its conditions one by one', () => {
    expect(conditionsOf({ outcome: ['done', 'failed'], board: ['events'] })).toEqual([
      { name: 'board', value: 'events' },
      { name: 'outcome', value: 'done' },
      { name: 'outcome', value: 'failed' },
    ]);
  });
});

describe('a calendar', () => {
  test('has whole weeks from Monday, leap days included', () => {
    const weeks = weeksOf('2024-02');
    expect(weeks[0]![0]).toBe('2024-01-29');
    expect(weeks.at(-1)!.at(-1)).toBe('2024-03-03');
    expect(weeks.flat()).toContain('2024-02-29');
  });

  test('walks by days and months', () => {
    expect(shiftDay('2026-03-01', -1)).toBe('2026-02-28');
    expect(shiftDayByMonths('2026-03-31', -1)).toBe('2026-02-28');
    expect(shiftDayByMonths('2026-12-31', 1)).toBe('2027-01-31');
  });
});

test('an instant comes back from the reader’s own field', () => {
  expect(instantOf(localInputOf('2026-03-01T10:20:30.000Z'))).toBe('2026-03-01T10:20:30.000Z');
  expect(instantOf('')).toBeUndefined();
  expect(localInputOf('sometime')).toBe('');
});

test('what changed is found at any depth, and nothing else', () => {
  const content = {
    before: { roles: ['user'], retention: { days: 7, gaps: 0 }, name: 'ana' },
    after: { roles: ['user', 'auditor'], retention: { days: 30, gaps: 0 }, name: 'ana', isNew: true },
  };
  expect(changesOf(content)).toEqual([
    { name: 'isNew', before: undefined, after: true },
    { name: 'retention.days', before: 7, after: 30 },
    { name: 'roles', before: ['user'], after: ['user', 'auditor'] },
  ]);
  expect(changesOf({ after: {} })).toBeUndefined();
  expect(changesOf('text')).toBeUndefined();
});

function someAddress(): ExplorerAddress {
  const names = auditFilterNames.filter(() => random.next() < 0.3);
  const value = () => `${pick(['a', 'ü & ?', '>', '100%', 'x+y', '日'])}${Math.floor(random.next() * 9)}`;
  return {
    filter: Object.fromEntries(names.map((name) => [name, [value(), `${value()}!`]])),
    order: pick(['newest', 'oldest']),
    isLive: random.next() < 0.5,
    entry: pick([undefined, 'first', 0, 12_345]),
  };
}
