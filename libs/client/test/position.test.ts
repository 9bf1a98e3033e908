import { expect, test } from '@jest/globals';
import { Backoff } from '../src/backoff.ts';
import { Position } from '../src/position.ts';

test('a position moves forward only', () => {
  const position = new Position('abcdefgh-5');
  position.advance('abcdefgh-4');
  expect(position.cursor).toBe('abcdefgh-5');
  position.advance('abcdefgh-9');
  expect(position.cursor).toBe('abcdefgh-9');
});

test('a position takes no cursor of an epoch that was not announced', () => {
  const position = new Position('abcdefgh-5');
  expect(position.judge('zzzzzzzz-9')).toBe('foreign');
  position.advance('zzzzzzzz-9');
  expect(position.cursor).toBe('abcdefgh-5');
  position.replace('zzzzzzzz-2');
  expect(position.cursor).toBe('zzzzzzzz-2');
});

test('an opening after the position would skip events, one at or before it would not', () => {
  const position = new Position('abcdefgh-5');
  expect(position.wouldSkip('abcdefgh-5')).toBe(false);
  expect(position.wouldSkip('abcdefgh-3')).toBe(false);
  expect(position.wouldSkip('abcdefgh-6')).toBe(true);
  expect(position.wouldSkip('zzzzzzzz-1')).toBe(true);
  expect(new Position().wouldSkip('abcdefgh-6')).toBe(false);
});

test('waits are quick at first, then double up to their bound, with full jitter', () => {
  const highest = new Backoff({ random: () => 1 });
  expect(Array.from({ length: 8 }, () => highest.next())).toEqual([250, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
  const lowest = new Backoff({ random: () => 0 });
  expect(Array.from({ length: 3 }, () => lowest.next())).toEqual([0, 0, 0]);
  expect(lowest.next(700)).toBe(700);
  highest.reset();
  expect(highest.next()).toBe(250);
});
