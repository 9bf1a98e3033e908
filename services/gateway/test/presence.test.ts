import { describe, expect, test } from '@jest/globals';
import { eventually, seededRandom } from '@boardwire/test-kit';
import { Presence } from '../src/presence/presence.ts';
import type { PresenceChange } from '../src/presence/presence-view.ts';

const ana = { id: 'u1', name: 'ana' };
const bob = { id: 'u2', name: 'bob' };
const told = (changes: PresenceChange[]) => changes.map(({ event, user }) => `${event} ${user.name}`);

describe('presence', () => {
  test('tells one join and one leave for a person with two tabs', () => {
    const presence = new Presence(0);
    const changes: PresenceChange[] = [];
    presence.watch('events', ['>'], (change) => changes.push(change));
    const tabs = [1, 2].map(() => presence.enter('events', { user: ana, filters: ['a'] }));
    expect(presence.list('events', ['>'], 10)).toEqual({ count: 1, users: [ana] });
    for (const leave of tabs) {
      leave();
      leave();
    }
    expect(told(changes)).toEqual(['join ana', 'leave ana']);
    expect(presence.list('events', ['>'], 10)).toEqual({ count: 0, users: [] });
  });

  test('shows only those who share a subject with the viewer', () => {
    const presence = new Presence(0);
    presence.enter('events', { user: ana, filters: ['room.1'] });
    presence.enter('events', { user: bob, filters: ['room.*'] });
    expect(presence.list('events', ['room.2'], 10).users).toEqual([bob]);
    expect(presence.list('events', ['room.1'], 10).users).toEqual([ana, bob]);
    expect(presence.list('other', ['>'], 10).users).toEqual([]);
    expect(presence.list('events', ['>'], 1)).toEqual({ count: 2, users: [ana] });
  });

  test('holds a leave so that a reconnect does not flap', async () => {
    const presence = new Presence(60);
    const changes: PresenceChange[] = [];
    presence.watch('events', ['>'], (change) => changes.push(change));
    const leave = presence.enter('events', { user: ana, filters: ['a'] });
    leave();
    const leaveAgain = presence.enter('events', { user: ana, filters: ['a'] });
    expect(told(changes)).toEqual(['join ana']);
    leaveAgain();
    await eventually(() => expect(told(changes)).toEqual(['join ana', 'leave ana']));
  });

  test('counts as many as are open after any mixture of arrivals and departures, and forgets empty boards', () => {
    const random = seededRandom();
    const presence = new Presence(0);
    const open: { id: string; leave: () => void }[] = [];
    const unwatch = presence.watch('events', ['>'], () => {});
    for (let step = 0; step < 3_000; step += 1) {
      if (random.integer(0, 1) === 0 || open.length === 0) {
        const id = `u${random.integer(1, 20)}`;
        open.push({ id, leave: presence.enter('events', { user: { id, name: id }, filters: ['a'] }) });
      } else {
        open.splice(random.integer(0, open.length - 1), 1)[0]!.leave();
      }
      const present = new Set(open.map(({ id }) => id)).size;
      expect(presence.list('events', ['>'], 100).count).toBe(present);
      expect(presence.subscribers('events')).toBe(open.length);
      expect(presence.users).toBe(present);
    }
    for (const { leave } of open) leave();
    unwatch();
    expect(presence.subscriptions).toBe(0);
  });
});
