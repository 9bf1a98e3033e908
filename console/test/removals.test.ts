import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { BoardwireClient, FollowOptions } from '@boardwire/client';
import { redactedType, redactionSource, type StoredEvent } from '@boardwire/contracts';
import { LobbyRoom } from '../src/features/axonchat/lobby-room.ts';
import { LiveWindow } from '../src/features/live-view/live-window.ts';
import { Removals } from '../src/realtime/removals.ts';

const here = `bs1${'a'.repeat(52)}`;
const elsewhere = `bs1${'b'.repeat(52)}`;
const ana = { id: 'ana', name: 'Ana', roles: [] };
const secret = 'my number is 0178 555';

let seq = 0;
const cursorOf = (place: number) => `epoch001-${place}`;

function said(id: string, text: string, more: Partial<StoredEvent> = {}): StoredEvent {
  const author = { author: 'ben', authorname: 'Ben', source: '/users/ben', origin: here };
  const event = { id, type: 'chat.message.posted', subject: 'AxonChat.lobby', data: { text }, class: 'log' as const };
  return { specversion: '1.0', board: 'events', time: '2026-01-01T12:00:00Z', ...author, ...event, ...more };
}

function notice(of: StoredEvent, more: Partial<StoredEvent> = {}): StoredEvent {
  const data = { origin: of.origin, source: of.source, id: of.id };
  return said(`notice-${of.id}`, '', { type: redactedType, source: redactionSource, data, ...more });
}

/** A board by hand: what it brings by stream, and its pages of history. */
class ByHand {
  plan!: FollowOptions;
  pages: StoredEvent[][] = [];
  receipt: Promise<object> = new Promise(() => {});

  readonly client = {
    follow: (_board: string, plan: FollowOptions) => {
      this.plan = plan;
      return { close: () => {}, typing: () => {}, cursor: cursorOf(seq), state: { phase: 'live' } };
    },
    history: () => {
      const events = (this.pages.shift() ?? []).map((event, at) => ({ ...event, cursor: cursorOf(at + 1) }));
      return Promise.resolve({ events, prev: null });
    },
    publish: () => this.receipt,
  } as unknown as BoardwireClient;

  bring(...events: StoredEvent[]): void {
    for (const event of events) {
      seq += 1;
      this.plan.onEvent(event, { cursor: cursorOf(seq), isReplay: false });
    }
  }
}

/** Whatever was answered has been taken; timers stand still. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

beforeEach(() => {
  seq = 100;
  jest.useFakeTimers({ doNotFake: ['performance'] });
});
afterEach(() => void jest.useRealTimers());

describe('what is removed', () => {
  test('is what the platform’s own notice names, and nothing else', () => {
    const event = said('1', secret);
    const forgeries: Partial<StoredEvent>[] = [
      { source: '/users/ben' },
      { type: 'chat.message.posted' },
      { class: 'ephemeral' },
      { data: { ...(notice(event).data as object), more: true } },
      { data: { source: event.source, id: event.id } },
      { data: [event.origin, event.source, event.id] },
      { data: undefined },
    ];
    const removals = new Removals();
    for (const forgery of forgeries) expect(removals.learn(notice(event, forgery))).toBe(false);
    expect(removals.isGone(event)).toBe(false);
    expect(removals.learn(notice(event))).toBe(true);
    expect(removals.isGone(event)).toBe(true);
    expect(removals.isGone({ ...event, origin: undefined })).toBe(true);
    for (const other of [{ origin: elsewhere }, { source: '/users/eva' }, { id: '2' }]) {
      expect(removals.isGone({ ...event, ...other })).toBe(false);
    }
  });

  test('is remembered for so many, the newest', () => {
    const removals = new Removals();
    for (let at = 0; at < 2_001; at += 1) removals.learn(notice(said(`${at}`, '')));
    expect(removals.isGone(said('0', ''))).toBe(false);
    expect(removals.isGone(said('1', ''))).toBe(true);
    expect(removals.isGone(said('2000', ''))).toBe(true);
  });
});

describe('the chat', () => {
  let board: ByHand;
  let room: LobbyRoom;
  const texts = () => room.view.value.messages.map(({ text, isRemoved }) => (isRemoved ? `removed${text}` : text));

  beforeEach(() => {
    board = new ByHand();
    room = new LobbyRoom(board.client, ana);
    room.enter();
  });

  test('takes a message away where it stands, and another of the same id not', () => {
    const event = said('1', secret);
    board.bring(said('0', 'before'), event, said('2', 'after'), said('1', 'of another', { source: '/users/eva' }));
    board.bring(notice(event));
    expect(texts()).toEqual(['before', 'removed', 'after', 'of another']);
    expect(JSON.stringify(room.view.value)).not.toContain('0178');
    expect(room.view.value.appended).toBe(4);
  });

  test('does not show what comes behind its notice: by stream, by an earlier page, or again after a reset', async () => {
    const event = said('1', secret);
    board.bring(said('0', 'before'), notice(event), event);
    expect(texts()).toEqual(['before', 'removed']);
    board.pages = [[said('7', 'long ago'), event]];
    await room.loadEarlier();
    expect(JSON.stringify(room.view.value)).not.toContain('0178');
    board.pages = [[event, said('8', 'newest')]];
    board.plan.onReset!({} as never);
    await settled();
    expect(texts()).toEqual(['removed', 'newest']);
  });

  test('takes away what a page says is gone', async () => {
    const event = said('1', secret);
    board.bring(event);
    board.pages = [[said('0', 'before'), notice(event)]];
    await room.loadEarlier();
    expect(texts()).toEqual(['before', 'removed']);
  });

  test('takes away one’s own message that is known by its receipt alone', async () => {
    let accept!: (receipt: object) => void;
    board.receipt = new Promise((resolve) => (accept = resolve));
    room.send(secret);
    const { id } = room.view.value.drafts[0]!;
    accept({ cursor: cursorOf(100), time: '2026-01-01T12:00:00Z' });
    await settled();
    expect(texts()).toEqual([secret]);
    board.bring(notice(said(id, '', { source: '/users/ana' })));
    expect(texts()).toEqual(['removed']);
    expect(room.view.value.drafts).toEqual([]);
  });
});

describe('the live view', () => {
  const query = { board: 'events', subjects: ['>'], from: 'now' } as const;

  test('takes away all that a publisher said, at once, also from what is paused or held back', () => {
    const board = new ByHand();
    const live = new LiveWindow(board.client, query);
    live.open();
    const shown = said('1', secret, { note: secret, dataschema: `x:${secret}` });
    const held = said('2', secret);
    board.bring(shown);
    jest.advanceTimersByTime(100);
    live.setPaused(true);
    board.bring(held, notice(held), notice(shown));
    expect(JSON.stringify(live.view.value)).not.toContain('0178');
    expect(live.view.value.events.map(({ event, isRemoved }) => [event.id, isRemoved])).toEqual([['1', true]]);
    live.setPaused(false);
    expect(JSON.stringify(live.view.value)).not.toContain('0178');
    expect(live.view.value.events.map(({ event }) => event.id)).toEqual(['1', '2', 'notice-2', 'notice-1']);
    board.bring(shown);
    jest.advanceTimersByTime(100);
    expect(JSON.stringify(live.view.value)).not.toContain('0178');
  });

  test('asks for the notices that it may have missed when its stream starts anew', async () => {
    const board = new ByHand();
    const live = new LiveWindow(board.client, query);
    live.open();
    const event = said('1', secret);
    board.bring(event);
    jest.advanceTimersByTime(100);
    expect(JSON.stringify(live.view.value)).toContain('0178');
    board.pages = [[notice(event)]];
    board.plan.onReset!({ reason: 'epoch' } as never);
    await settled();
    expect(JSON.stringify(live.view.value)).not.toContain('0178');
  });
});
