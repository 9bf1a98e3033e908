import { describe, expect, test } from '@jest/globals';
import { messageText } from './message-text.ts';

describe('a text', () => {
  test.each([[''], ['  \t\n'], ['\u200b\u200d'], ['\u2028'], ['\u0000'], ['\u3000\u00a0']])(
    'of nothing (%j) is none',
    (text) => {
      expect(messageText(text)).toBeUndefined();
    },
  );

  test('is kept as it was written, blanks and scripts included', () => {
    for (const text of ['  hi  ', 'مرحبا', '你好', 'é', '👩‍🚀', 'a'.repeat(500)]) expect(messageText(text)).toBe(text);
  });

  test('is cut after 500 characters', () => {
    expect(messageText('ab'.repeat(400))).toBe('ab'.repeat(250));
    expect(Array.from(messageText('𝒳'.repeat(600))!)).toHaveLength(500);
  });

  test('keeps its last character whole', () => {
    const astronauts = messageText('👩‍🚀'.repeat(400))!;
    expect(astronauts).toBe('👩‍🚀'.repeat(166));
    expect(messageText(`${'a'.repeat(499)}e\u0301`)).toBe('a'.repeat(499));
    expect(messageText(`${'a'.repeat(498)}e\u0301!`)).toBe(`${'a'.repeat(498)}e\u0301`);
    expect(messageText(`${'a'.repeat(499)}🇮🇹`)).toBe('a'.repeat(499));
  });

  test('of one endless character is cut all the same', () => {
    expect(Array.from(messageText(`a${'\u0301'.repeat(5_000)}`)!)).toHaveLength(500);
  });

  test('with half a surrogate pair becomes well-formed', () => {
    expect(messageText('a\ud800b')).toBe('a\ufffdb');
  });
});
