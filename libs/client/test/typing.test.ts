import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Keystrokes } from '../src/keystrokes.ts';
import { TypingList, type Typist } from '../src/typing-list.ts';

const ana = { id: 'u1', name: 'ana' };
const bob = { id: 'u2', name: 'bob' };

beforeEach(() => void jest.useFakeTimers());
afterEach(() => {
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

describe('who types', () => {
  const told: string[] = [];
  const list = new TypingList((typists: readonly Typist[]) =>
    told.push(typists.map(({ user }) => user.name).join(' ')),
  );
  const taken = () => told.splice(0);

  test('is told when it changes, and not when it goes on', () => {
    list.heard({ subject: 'a', user: ana, on: true });
    list.heard({ subject: 'a', user: bob, on: true });
    list.heard({ subject: 'a', user: ana, on: true });
    expect(taken()).toEqual(['ana', 'ana bob']);
    list.heard({ subject: 'a', user: ana, on: false });
    list.heard({ subject: 'a', user: ana, on: false });
    list.heard({ subject: 'b', user: bob, on: false });
    expect(taken()).toEqual(['bob']);
    list.clear();
    list.clear();
    expect(taken()).toEqual(['']);
  });

  test('runs out when nothing more is heard', () => {
    list.heard({ subject: 'a', user: ana, on: true });
    jest.advanceTimersByTime(4_900);
    list.heard({ subject: 'a', user: ana, on: true });
    jest.advanceTimersByTime(4_900);
    expect(taken()).toEqual(['ana']);
    jest.advanceTimersByTime(200);
    expect(taken()).toEqual(['']);
  });
});

describe('keystrokes', () => {
  test('go to the site once a second for a subject, their end at once and once', () => {
    const told: string[] = [];
    const keystrokes = new Keystrokes((subject, on) => told.push(`${subject} ${on}`));
    keystrokes.pressed('a', false);
    for (let at = 0; at < 25; at += 1) {
      keystrokes.pressed('a', true);
      jest.advanceTimersByTime(100);
    }
    keystrokes.pressed('b', true);
    expect(told).toEqual(['a true', 'a true', 'a true', 'b true']);
    keystrokes.pressed('a', false);
    keystrokes.pressed('a', false);
    keystrokes.pressed('a', true);
    expect(told.slice(4)).toEqual(['a false', 'a true']);
    keystrokes.clear();
    keystrokes.pressed('a', true);
    expect(told.slice(6)).toEqual(['a true']);
  });
});
