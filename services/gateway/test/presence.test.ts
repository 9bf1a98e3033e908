import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { seededRandom } from '@boardwire/test-kit';
import type { SubjectRule } from '@boardwire/contracts';
import { Presence } from '../src/presence/presence.ts';
import type { PresenceChange } from '../src/presence/presence-view.ts';

const ana = { id: 'u1', name: 'ana' };
const bob = { id: 'u2', name: 'bob' };
const told = (changes: PresenceChange[]) =>
  changes.map((change) =>
    change.event === 'list' ? `list of ${change.count}` : `${change.event} ${change.user.name}`,
  );
/** Enough for what is told in its own time. */
const later = () => jest.advanceTimersByTime(60);

function watched(presence: Presence, filters = ['>'], viewerId?: string): PresenceChange[] {
  const changes: PresenceChange[] = [];
  presence.watch('events', filters, (change) => changes.push(change), viewerId);
  return changes;
}

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

describe('presence', () => {
  test('tells one join and one leave for a person with two tabs', () => {
    const presence = new Presence({ graceMs: 0 });
    const changes = watched(presence);
    const tabs = [['a'], ['b']].map((filters) => presence.enter('events', { user: ana, filters }));
    expect(presence.list('events', ['>'], 10)).toEqual({ count: 1, users: [ana] });
    for (const leave of tabs) {
      leave();
      leave();
    }
    later();
    expect(told(changes)).toEqual(['join ana', 'leave ana']);
    expect(presence.list('events', ['>'], 10)).toEqual({ count: 0, users: [] });
  });

  test('shows only those who share a subject with the viewer', () => {
    const presence = new Presence({ graceMs: 0 });
    presence.enter('events', { user: ana, filters: ['room.1'] });
    presence.enter('events', { user: bob, filters: ['room.*'] });
    expect(presence.list('events', ['room.2'], 10).users).toEqual([bob]);
    expect(presence.list('events', ['room.1'], 10).users).toEqual([ana, bob]);
    expect(presence.list('other', ['>'], 10).users).toEqual([]);
    expect(presence.list('events', ['>'], 1)).toEqual({ count: 2, users: [ana] });
  });

  test('a person who is seen through one more row neither joins nor leaves again', () => {
    const presence = new Presence({ graceMs: 0 });
    const [all, one] = [watched(presence), watched(presence, ['room.1'])];
    const leave = presence.enter('events', { user: ana, filters: ['room.*'] });
    presence.enter('events', { user: ana, filters: ['room.2'] });
    later();
    leave();
    later();
    expect(told(all)).toEqual(['join ana']);
    expect(told(one)).toEqual(['join ana', 'leave ana']);
  });

  test('a subject for members shows those who name it to those who name it', () => {
    const rules: SubjectRule[] = [
      { pattern: 'room.open', class: 'log', access: 'open' },
      { pattern: 'room.*', class: 'log', access: 'members' },
    ];
    const presence = new Presence({ graceMs: 0, rules: () => rules });
    presence.enter('events', { user: ana, filters: ['room.den'] });
    presence.enter('events', { user: bob, filters: ['room.*'] });
    const seenBy = (...filters: string[]) => presence.list('events', filters, 10).users.map(({ name }) => name);
    expect(seenBy('room.den')).toEqual(['ana']);
    expect(seenBy('>')).toEqual(['bob']);
    expect(seenBy('room.>')).toEqual(['bob']);
    expect(seenBy('room.open')).toEqual(['bob']);
    expect(seenBy('room.other')).toEqual([]);
    const changes = watched(presence, ['>']);
    rules.length = 0;
    presence.rulesChanged('events');
    later();
    expect(changes).toEqual([{ event: 'list', users: [ana, bob], count: 2 }]);
  });

  test('holds a leave so that a reconnect does not flap', () => {
    const presence = new Presence({ graceMs: 5_000 });
    const changes = watched(presence);
    const leave = presence.enter('events', { user: ana, filters: ['a'] });
    leave();
    jest.advanceTimersByTime(4_900);
    const leaveAgain = presence.enter('events', { user: ana, filters: ['b'] });
    jest.advanceTimersByTime(10_000);
    expect(told(changes)).toEqual(['join ana']);
    leaveAgain();
    jest.advanceTimersByTime(4_900);
    expect(told(changes)).toEqual(['join ana']);
    jest.advanceTimersByTime(200);
    expect(told(changes)).toEqual(['join ana', 'leave ana']);
  });

  test('tells nobody of oneself, and nobody what the list already held', () => {
    const presence = new Presence({ graceMs: 0 });
    const early = watched(presence, ['>'], bob.id);
    presence.enter('events', { user: ana, filters: ['a'] });
    const leave = presence.enter('events', { user: bob, filters: ['a'] });
    const late = watched(presence, ['>']);
    expect(presence.list('events', ['>'], 10).count).toBe(2);
    leave();
    later();
    expect(told(early)).toEqual(['join ana']);
    expect(told(late)).toEqual(['leave bob']);
  });

  test('tells a crowd as one list', () => {
    const presence = new Presence({ graceMs: 0 });
    const changes = watched(presence);
    for (let id = 0; id < 500; id += 1) presence.enter('events', { user: { id: `u${id}`, name: 'x' }, filters: ['a'] });
    later();
    expect(told(changes)).toEqual(['list of 500']);
    presence.enter('events', { user: ana, filters: ['a'] });
    presence.enter('events', { user: { id: 'last', name: 'last' }, filters: ['a'] });
    later();
    expect(told(changes).slice(1)).toEqual(['join last']);
  });

  test('counts as many as are open after any mixture of arrivals and departures, and forgets empty boards', () => {
    const random = seededRandom();
    const presence = new Presence({ graceMs: 0 });
    const filterSets = [['a'], ['a.*'], ['a.b', 'c'], ['>'], ['c', 'd.>'], ['*.b']];
    const open: { id: string; filters: string[]; leave: () => void }[] = [];
    const views = filterSets.map((filters) => ({
      filters,
      present: new Set<string>(),
      changes: [] as PresenceChange[],
    }));
    const unwatch = views.map(({ filters, changes }) => presence.watch('events', filters, (it) => changes.push(it)));
    for (let step = 0; step < 600; step += 1) {
      if (random.integer(0, 1) === 0 || open.length === 0) {
        const id = `u${random.integer(1, 20)}`;
        const filters = random.pick(filterSets);
        open.push({ id, filters, leave: presence.enter('events', { user: { id, name: id }, filters }) });
      } else {
        open.splice(random.integer(0, open.length - 1), 1)[0]!.leave();
      }
      later();
      for (const { filters, present, changes } of views) {
        const expected = new Set(open.filter((one) => overlap(one.filters, filters)).map(({ id }) => id));
        for (const change of changes.splice(0)) apply(present, change);
        expect(present).toEqual(expected);
        expect(presence.list('events', filters, 100).count).toBe(expected.size);
      }
      expect(presence.subscribers('events')).toBe(open.length);
      expect(presence.users).toBe(new Set(open.map(({ id }) => id)).size);
    }
    for (const { leave } of open) leave();
    for (const end of unwatch) end();
    expect(presence.own.subscriptions).toBe(0);
    expect(presence.users).toBe(0);
  });

  test('ten thousand arrivals with a hundred sets of filters that all see each other are cheap', () => {
    jest.useRealTimers();
    const presence = new Presence({ graceMs: 0 });
    const filterSets = Array.from({ length: 100 }, (_, at) => ['room.lobby', `room.${at}`]);
    for (const filters of filterSets) presence.watch('events', filters, () => {});
    const startedAt = performance.now();
    for (let id = 0; id < 10_000; id += 1) {
      presence.enter('events', { user: { id: `u${id}`, name: `user ${id}` }, filters: filterSets[id % 100]! });
    }
    const tookMs = performance.now() - startedAt;
    process.stderr.write(`10,000 arrivals, 100 views: ${Math.round(tookMs)} ms\n`);
    expect(presence.list('events', ['room.7'], 10).count).toBe(100);
    expect(presence.list('events', ['room.lobby'], 10).count).toBe(10_000);
    // A tenth of this on a quiet machine; walking users for each arrival takes minutes.
    expect(tookMs).toBeLessThan(1_000);
  });
});

/** What the trie must find, by looking at two tokens at most. */
function overlap(left: readonly string[], right: readonly string[]): boolean {
  const subjects = ['a', 'c', 'a.b', 'a.c', 'd.b', 'd.c', 'c.b', 'd.b.c', 'x.y'];
  const takes = (filters: readonly string[], subject: string) =>
    filters.some((filter) => pattern(filter).test(subject));
  return subjects.some((subject) => takes(left, subject) && takes(right, subject));
}

function pattern(filter: string): RegExp {
  return new RegExp(`^${filter.replaceAll('.', '\\.').replaceAll('*', '[^.]+').replaceAll('>', '.+')}$`);
}

function apply(present: Set<string>, change: PresenceChange): void {
  if (change.event === 'list') throw new Error('a list of so few');
  const isNew = change.event === 'join';
  expect(present.has(change.user.id)).toBe(!isNew);
  if (isNew) present.add(change.user.id);
  else present.delete(change.user.id);
  expect(change.count).toBe(present.size);
}
