import { describe, expect, test } from '@jest/globals';
import type { Writable } from 'node:stream';
import * as webSockets from 'ws';
import { SseFormat } from '../src/delivery/sse-format.ts';
import { WsFormat } from '../src/delivery/ws-format.ts';
import { epoch, logEvent } from './support/memory-board.ts';

/** The library exports it, its types don't. */
const { Receiver } = webSockets as unknown as { Receiver: new (options: object) => Writable };

const events = [logEvent(7, 'a.b'), logEvent(9, 'a.c', 'revoked')];

/** What a client makes of the bytes: `ws`' own parser. */
function framesOf(bytes: Buffer): Record<string, unknown>[] {
  const frames: Record<string, unknown>[] = [];
  const receiver = new Receiver({ isServer: false, allowSynchronousEvents: true });
  receiver.on('message', (data: Buffer) => frames.push(JSON.parse(data.toString()) as Record<string, unknown>));
  receiver.on('error', (error: Error) => {
    throw error;
  });
  receiver.write(bytes);
  return frames;
}

describe('the SSE format', () => {
  test('gives an event its cursor and its stored bytes, unchanged', () => {
    const text = new SseFormat({ isNamed: false, framing: 'plain' }).events(epoch, events).toString();
    expect(text).toBe(
      `id: ${epoch}-7\ndata: ${events[0]!.bytes.toString()}\n\nid: ${epoch}-9\ndata: ${events[1]!.bytes.toString()}\n\n`,
    );
  });

  test('names events when asked, and keeps our own names ours', () => {
    const text = new SseFormat({ isNamed: true, framing: 'plain' }).events(epoch, events).toString();
    expect(text).toContain('\nevent: note\n');
    expect(text).toContain('\nevent: app.revoked\n');
  });

  test('gives an ephemeral event no cursor', () => {
    const format = new SseFormat({ isNamed: false, framing: 'plain' });
    expect(format.ephemeral(events).toString()).toBe(
      events.map(({ bytes }) => `data: ${bytes.toString()}\n\n`).join(''),
    );
    const named = new SseFormat({ isNamed: true, framing: 'plain' }).ephemeral([events[1]!]).toString();
    expect(named).toBe(`event: app.revoked\ndata: ${events[1]!.bytes.toString()}\n\n`);
  });

  test('frames one write as one HTTP chunk', () => {
    const chunked = new SseFormat({ isNamed: false, framing: 'chunked' }).events(epoch, events);
    const plain = new SseFormat({ isNamed: false, framing: 'plain' }).events(epoch, events);
    expect(chunked.toString()).toBe(`${plain.length.toString(16)}\r\n${plain.toString()}\r\n`);
  });
});

describe('the WebSocket format', () => {
  test.each(['s', 'a"1', 'ü\u2028"\\', '\u0001\u0002'])('gives each event a frame of its own for %j', (sub) => {
    const frames = framesOf(new WsFormat(sub).events(epoch, events));
    expect(frames).toEqual([
      { type: 'event', sub, cursor: `${epoch}-7`, event: JSON.parse(events[0]!.bytes.toString()) },
      { type: 'event', sub, cursor: `${epoch}-9`, event: JSON.parse(events[1]!.bytes.toString()) },
    ]);
  });

  test('gives an ephemeral event no cursor', () => {
    const frames = framesOf(new WsFormat('s').ephemeral(events));
    const expected = events.map(({ bytes }) => ({
      type: 'event',
      sub: 's',
      event: JSON.parse(bytes.toString()) as unknown,
    }));
    expect(frames).toEqual(expected);
  });

  test.each([1, 60, 125, 126, 1_000, 65_400, 65_600, 70_000])('frames a payload of about %i bytes', (length) => {
    const bytes = Buffer.from(JSON.stringify({ text: 'x'.repeat(length) }));
    const [frame] = framesOf(new WsFormat('s').events(epoch, [{ ...events[0]!, bytes }]));
    expect(frame).toMatchObject({ event: { text: 'x'.repeat(length) } });
  });

  test('carries the opening, reset and caught_up with their cursors', () => {
    const format = new WsFormat('s');
    const resumed = { from: `${epoch}-1`, head: `${epoch}-3`, replayed: 2, epoch };
    const reset = { requested: null, reason: 'unknown', oldest: `${epoch}-0`, head: `${epoch}-3` } as const;
    const bytes = Buffer.concat([format.resumed(resumed), format.reset(reset), format.caughtUp(`${epoch}-3`)]);
    expect(framesOf(bytes)).toMatchObject([
      { type: 'resumed', cursor: `${epoch}-1`, replayed: 2 },
      { type: 'reset', cursor: `${epoch}-3`, reason: 'unknown' },
      { type: 'caught_up', cursor: `${epoch}-3` },
    ]);
  });
});
