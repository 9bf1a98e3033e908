import { beforeEach, describe, expect, test } from '@jest/globals';
import { BoardTrack, Held } from '../src/board-track.ts';
import type { FollowedEvent } from '@boardwire/follower';

const announced = {
  slug: 'events',
  id: 1,
  epoch: 'aaaaaaaa',
  epochOrdinal: 0,
  head: 0,
  relayed: 0,
  timeZone: 'UTC',
  rules: [],
};

function event(seq: number, epoch = 'aaaaaaaa', streamed = true): FollowedEvent {
  const bytes = Buffer.alloc(0);
  const rest = { subject: 'A', type: 't', class: 'log' as const, committedMs: 0, datahash: '' };
  return { board: 'events', epoch, seq, bytes, streamed, ...rest };
}

describe('BoardTrack', () => {
  let held: Held;
  let track: BoardTrack;
  beforeEach(() => {
    held = new Held(3);
    track = new BoardTrack(announced, held);
  });
  const queued = () => track.queue.map(({ seq }) => seq);

  test('takes over nothing before its position is known, and knows the head all the same', () => {
    expect(track.offer(event(7))).toBe('not_ready');
    expect(track).toMatchObject({ received: 0, head: 7 });
  });

  test('takes over what follows, drops what it had, keeps what comes too early until the hole closes', () => {
    track.standAt({ epoch: 'aaaaaaaa', seq: 10, head: 10 });
    expect(track.offer(event(10))).toBe('duplicate');
    expect(track.offer(event(13))).toBe('ahead');
    expect(track.offer(event(12))).toBe('ahead');
    expect(track.offer(event(13))).toBe('duplicate');
    expect(track.holeEnd()).toBe(11);
    expect(track.offer(event(11))).toBe('next');
    expect(queued()).toEqual([11, 12, 13]);
    expect(held).toMatchObject({ queued: 3, ahead: 0 });
  });

  test('an event of another epoch touches nothing', () => {
    track.standAt({ epoch: 'aaaaaaaa', seq: 0, head: 0 });
    expect(track.offer(event(1, 'bbbbbbbb'))).toBe('other_epoch');
    expect(track).toMatchObject({ received: 0, head: 0 });
  });

  test('at the bound a live event is left, one from the log is not', () => {
    track.standAt({ epoch: 'aaaaaaaa', seq: 0, head: 0 });
    for (const seq of [1, 2, 3]) track.offer(event(seq));
    expect(track.offer(event(4))).toBe('left');
    expect(track.isBehind).toBe(true);
    expect(track.offer(event(4, 'aaaaaaaa', false))).toBe('next');
    for (const seq of [6, 7, 8]) expect(track.offer(event(seq))).toBe('ahead');
    expect(track.offer(event(9))).toBe('left');
  });

  test('counts what leaves the queue, and forgets everything when it starts over', () => {
    track.standAt({ epoch: 'aaaaaaaa', seq: 0, head: 0 });
    for (const seq of [1, 2, 3, 5]) track.offer(event(seq));
    track.removeHanded(2);
    expect(track.handed).toBe(2);
    expect(queued()).toEqual([3]);
    expect(held).toMatchObject({ queued: 1, ahead: 1 });
    track.standAt({ epoch: 'bbbbbbbb', seq: 4, head: 9 });
    expect(held).toMatchObject({ queued: 0, ahead: 0 });
    expect(track).toMatchObject({ received: 4, handed: 4, head: 9, epoch: 'bbbbbbbb' });
  });
});
