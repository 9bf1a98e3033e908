import { describe, expect, test } from '@jest/globals';
import { isNeverFederated, neverFederated } from '../src/index.ts';

describe('what never crosses between sites', () => {
  test.each([
    ['site', 'anything.at.all'],
    ['events', 'dm'],
    ['events', 'dm.ana'],
    ['events', 'dm.ana.bob'],
    ['events', 'room.7.chat.private'],
    ['events', 'room.7.chat.private.ana'],
    ['events', 'Notifications'],
    ['forum', 'Notifications.ana.unread'],
  ])('on %s: %s', (board, subject) => expect(isNeverFederated(board, subject)).toBe(true));

  test.each([
    ['events', 'AxonChat.lobby'],
    ['events', 'room.7.chat.public'],
    ['events', 'room.7.8.chat.private.ana'],
    ['events', 'dmz.ana'],
    ['events', 'a.dm.ana'],
    ['site-2', 'anything'],
  ])('everything else may: on %s, %s', (board, subject) => expect(isNeverFederated(board, subject)).toBe(false));

  test('what only members of a board reach', () => {
    const rules = [
      { pattern: 'club.hall', class: 'log', access: 'open' },
      { pattern: 'club.>', class: 'log', access: 'members' },
      { pattern: 'dm.>', class: 'log', access: 'open' },
    ] as const;
    expect(isNeverFederated('events', 'club.vault', rules)).toBe(true);
    expect(isNeverFederated('events', 'club.hall', rules)).toBe(false);
    expect(isNeverFederated('events', 'dm.ana', rules)).toBe(true);
  });

  test('names the boards and subjects once', () => {
    expect(neverFederated).toMatchObject({
      boards: ['site'],
      subjects: expect.arrayContaining(['dm.>', 'room.*.chat.private.>', 'Notifications.>']),
    });
  });
});
