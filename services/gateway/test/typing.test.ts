import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { limits } from '@boardwire/contracts';
import { placesPerHandMax, type TypingPlace } from '../src/typing/keystrokes.ts';
import { Typing } from '../src/typing/typing.ts';
import { typistsMax, typistsPerSubjectMax } from '../src/typing/typists.ts';
import { ChannelClient, GossipChannel } from './support/gossip-channel.ts';

const ana = { id: 'u1', name: 'ana' };
const bob = { id: 'u2', name: 'bob' };
const lobby: TypingPlace = { board: 'events', subject: 'room.lobby', user: ana };
const den: TypingPlace = { ...lobby, subject: 'room.den' };
const hand = {};
const reached = (filters: string[]) =>
  filters.map((filter) => (filter === den.subject ? `members.${filter}` : `open.${filter}`));

/** A gateway with one reader; what it is told stands in `told`. */
class Pod {
  readonly typing: Typing;
  readonly told: string[] = [];
  announced = 0;

  constructor(channel: GossipChannel, pod: string) {
    this.typing = new Typing({
      pod,
      isOpen: (_board, subject) => subject !== 'room.den',
      onTyping: (from) => (this.announced += from === 'here' ? 1 : 0),
    });
    this.typing.attach(new ChannelClient(channel));
  }

  listen(...filters: string[]): () => void {
    const typing = (bytes: Buffer) => {
      const { subject, user, on } = JSON.parse(bytes.subarray(bytes.indexOf('{')).toString());
      this.told.push(`${user.name} ${on ? 'types' : 'stops'} in ${subject}`);
    };
    return this.typing.listen('events', reached(filters), { userId: bob.id, typing });
  }
}

const pass = (ms: number) => jest.advanceTimersByTime(ms);

let channel: GossipChannel;
let here: Pod;
let there: Pod;
beforeEach(() => {
  jest.useFakeTimers();
  channel = new GossipChannel(1);
  here = new Pod(channel, 'here');
  there = new Pod(channel, 'there');
});
afterEach(() => {
  pass(1);
  here.typing.stop();
  there.typing.stop();
  // Nothing runs on.
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

describe('typing', () => {
  test('is told here and elsewhere, once a second while it lasts, and ends by itself', () => {
    here.listen('room.*');
    there.listen('>');
    for (let at = 0; at < 50; at += 1) {
      here.typing.typed(hand, lobby, true);
      pass(100);
    }
    expect(here.told).toEqual(Array(5).fill('ana types in room.lobby'));
    pass(limits.typingMs - 200);
    expect(there.told).toEqual(Array(5).fill('ana types in room.lobby'));
    pass(200);
    for (const { told } of [here, there]) expect(told.slice(5)).toEqual(['ana stops in room.lobby']);
    pass(60_000);
    expect(here.announced).toBe(6);
  });

  test('reaches those who read the subject, each socket once, and not the typist', () => {
    const ends = [here.listen('room.lobby', 'room.*'), there.listen('other.>')];
    const mine = jest.fn();
    here.typing.listen('events', reached(['>']), { userId: ana.id, typing: mine });
    here.typing.listen('elsewhere', reached(['>']), { userId: bob.id, typing: mine });
    here.typing.typed(hand, lobby, true);
    pass(1);
    expect(here.told).toEqual(['ana types in room.lobby']);
    expect(there.told).toEqual([]);
    for (const end of ends) end();
    ends[0]!();
    here.typing.typed(hand, lobby, false);
    pass(1);
    expect(here.told).toHaveLength(1);
    expect(mine).not.toHaveBeenCalled();
  });

  test('one socket with two subscriptions is told once, and goes on after one of them ends', () => {
    const listener = { userId: bob.id, typing: jest.fn() };
    const [all, one] = [reached(['>']), reached(['room.lobby'])];
    const ends = [all, one, one].map((wanted) => here.typing.listen('events', wanted, listener));
    here.typing.typed(hand, lobby, true);
    expect(listener.typing).toHaveBeenCalledTimes(1);
    ends[1]!();
    ends[1]!();
    ends[0]!();
    here.typing.typed(hand, lobby, false);
    expect(listener.typing).toHaveBeenCalledTimes(2);
  });

  test('in a subject for members reaches only those who name it', () => {
    here.listen('room.>');
    there.listen('room.den');
    here.typing.typed(hand, den, true);
    pass(1);
    expect(here.told).toEqual([]);
    expect(there.told).toEqual(['ana types in room.den']);
  });

  test('ends on a post, whichever pod it came to, and begins at once with the next keystroke', () => {
    here.listen('>');
    here.typing.typed(hand, lobby, true);
    pass(100);
    there.typing.posted('events', 'room.other', ana.id);
    there.typing.posted('events', 'room.lobby', bob.id);
    pass(1);
    expect(here.told).toHaveLength(1);
    there.typing.posted('events', 'room.lobby', ana.id);
    pass(1);
    expect(here.told).toEqual(['ana types in room.lobby', 'ana stops in room.lobby']);
    here.typing.typed(hand, lobby, true);
    expect(here.told.at(-1)).toBe('ana types in room.lobby');
    pass(10_000);
    expect(here.told).toHaveLength(4);
  });

  test('ends when the connection is gone, unless another one of the user types on', () => {
    there.listen('>');
    const other = {};
    here.typing.typed(hand, lobby, true);
    here.typing.typed(other, lobby, true);
    here.typing.gone(hand);
    here.typing.gone(hand);
    pass(1);
    expect(there.told).toEqual(['ana types in room.lobby']);
    here.typing.gone(other);
    pass(1);
    expect(there.told).toEqual(['ana types in room.lobby', 'ana stops in room.lobby']);
  });

  test('on two pods is one person typing', () => {
    there.listen('>');
    here.typing.typed(hand, lobby, true);
    there.typing.typed({}, lobby, true);
    pass(1);
    here.typing.typed(hand, lobby, false);
    pass(1);
    expect(there.told.includes('ana stops in room.lobby')).toBe(false);
    pass(limits.typingMs);
    expect(there.told.filter((text) => text.includes('stops'))).toHaveLength(1);
  });

  test('of a pod that died runs out', () => {
    there.listen('>');
    here.typing.typed(hand, lobby, true);
    pass(1);
    here.typing.stop();
    pass(limits.typingMs + 2_500);
    expect(there.told).toEqual(['ana types in room.lobby', 'ana stops in room.lobby']);
  });

  test('is bounded, for a connection, in a subject and in all', () => {
    here.listen('>');
    const into = (at: number) => ({ ...lobby, subject: `room.${at}` });
    for (let at = 0; at < placesPerHandMax; at += 1) here.typing.typed(hand, into(at), true);
    expect(() => here.typing.typed(hand, into(99), true)).toThrow(expect.objectContaining({ code: 'rate_limited' }));
    here.typing.typed(hand, into(3), true);
    here.typing.typed(hand, into(3), false);
    here.typing.typed(hand, into(99), true);
    here.told.length = 0;
    const crowd = Array.from({ length: 100 }, (_, at) => ({ ...lobby, user: { id: `c${at}`, name: `c${at}` } }));
    for (const place of crowd) here.typing.typed({}, place, true);
    expect(here.told).toHaveLength(typistsPerSubjectMax);
    for (let at = 0; at < typistsMax + 500; at += 1) {
      here.typing.typed({}, { ...lobby, subject: `s.${at}` }, true);
    }
    expect(here.told.length).toBeLessThanOrEqual(typistsMax + placesPerHandMax);
  });

  test.each(['', '{', 'null', '{"pod":"x"}', '{"pod":"x","subject":"a.*","user":{"id":"1","name":""},"on":true}'])(
    'of nonsense on the bus (%s) is not believed',
    (text) => {
      here.listen('>');
      channel.send(undefined as never, 'typing.events', text);
      pass(10);
      expect(here.told).toEqual([]);
    },
  );
});
