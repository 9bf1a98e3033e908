import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { federationLimits } from '@boardwire/contracts';
import { eventually } from '@boardwire/test-kit';
import { describe, expect, test } from '@jest/globals';
import type { KnownPeer } from '../src/wire/peer-book.ts';
import { PeerRates } from '../src/wire/peer-rates.ts';
import { StrangerGate } from '../src/wire/stranger-gate.ts';
import { FeedCursor } from '../src/wire/stream/feed-cursor.ts';
import { FrameWriter } from '../src/wire/stream/frame-writer.ts';

describe('a peer’s bucket', () => {
  const peer = (isTrusted: boolean) => ({ site: 'a', isTrusted }) as KnownPeer;

  test('lets a burst through, then its rate, and a trusted peer a hundred times as much', () => {
    let now = 0;
    const rates = new PeerRates(() => now);
    const { newPeerEventsBurst: burst, newPeerEventsPerSecond: perSecond } = federationLimits;
    const let_ = (isTrusted = false) => {
      let count = 0;
      try {
        for (; count < 100_000; count += 1) rates.enter(peer(isTrusted));
      } catch (error) {
        expect(error).toMatchObject({ code: 'rate_limited' });
      }
      return count;
    };
    expect(let_()).toBe(burst);
    now += 2_000;
    expect(let_()).toBe(2 * perSecond);
    now += 1_000;
    expect(let_(true)).toBe(100 * perSecond);
  });

  test('is in debt behind a large request, and tells for how long', () => {
    let now = 0;
    const rates = new PeerRates(() => now);
    for (let at = 0; at < 2; at += 1) {
      rates.enter(peer(false));
      rates.spend(peer(false), 255);
    }
    expect(() => rates.enter(peer(false))).toThrow(expect.objectContaining({ retryAfterMs: 260 }));
    now += 260;
    expect(() => rates.enter(peer(false))).not.toThrow();
  });

  test('frees its place for a push whatever becomes of it', async () => {
    const rates = new PeerRates();
    for (let at = 0; at < 5; at += 1) {
      await expect(rates.push(peer(false), () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    }
    let release = () => undefined as void;
    const held = new Promise<void>((resolve) => (release = resolve));
    const two = [1, 2].map(() => rates.push(peer(false), () => held));
    await expect(rates.push(peer(false), () => held)).rejects.toMatchObject({ code: 'rate_limited' });
    release();
    await Promise.all(two);
  });
});

test('an address that proves nothing a thousand times has to wait, others don’t', () => {
  let now = 0;
  const gate = new StrangerGate(() => now);
  for (let at = 0; at < 1_000; at += 1) {
    gate.enter('a');
    gate.failed('a');
  }
  expect(() => gate.enter('a')).toThrow(expect.objectContaining({ code: 'rate_limited' }));
  expect(() => gate.enter('b')).not.toThrow();
  now += 100;
  expect(() => gate.enter('a')).not.toThrow();
});

describe('a place in a feed', () => {
  const hash = 'a'.repeat(64);
  const epochs = (...ns: number[]) => ns.map((n, at) => ({ epoch: `e${at}`, n, hash }));

  test('goes from epoch to epoch, none left before a later one has anything', () => {
    const cursor = new FeedCursor('a', undefined);
    expect(cursor.next([])).toBeUndefined();
    expect(cursor.next(epochs(2))).toEqual({ epoch: 'e0', from: 1, n: 2 });
    cursor.moved(2);
    expect(cursor.next(epochs(2, 0))).toBeUndefined();
    expect(cursor.next(epochs(3, 0))).toEqual({ epoch: 'e0', from: 3, n: 3 });
    cursor.moved(1);
    expect(cursor.next(epochs(3, 5))).toEqual({ epoch: 'e1', from: 1, n: 5 });
  });

  test('waits where the peer is ahead', () => {
    expect(new FeedCursor('a', { epoch: 'e0', n: 9 }).next(epochs(3))).toBeUndefined();
    expect(new FeedCursor('a', { epoch: 'unknown', n: 1 }).next(epochs(3))).toBeUndefined();
    expect(new FeedCursor('a', { epoch: 'e1', n: 1 }).next(epochs(3, 4))).toEqual({ epoch: 'e1', from: 2, n: 4 });
  });
});

describe('frames to a peer', () => {
  const line = `${'x'.repeat(1_023)}\n`;

  async function pair(stillMsMax: number): Promise<{ writer: FrameWriter; socket: Socket; close: () => void }> {
    const bytesMax = federationLimits.outboundBufferBytesMax;
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const answered = new Promise<ServerResponse>((resolve) =>
      server.on('request', (_request, response) => resolve(response)),
    );
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined).write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    const response = await answered;
    response.writeHead(200);
    const close = () => {
      socket.destroy();
      server.closeAllConnections();
      server.close();
    };
    return { writer: new FrameWriter(response, { bytesMax, stillMsMax }), socket, close };
  }

  test('stop for one that takes nothing, while little waits here, and end when it goes on', async () => {
    const { writer, socket, close } = await pair(400);
    socket.pause();
    let rounds = 0;
    let answer = await writer.hasRoom();
    for (; answer === 'yes' && rounds < 1_000; rounds += 1) {
      writer.write(line.repeat(512));
      expect(writer.buffered).toBeLessThan(1_024 * 1_024);
      answer = await writer.hasRoom();
    }
    expect(answer).toBe('slow');
    expect(rounds).toBeLessThan(100);
    writer.end('bye\n');
    await eventually(() => expect(writer.isOpen).toBe(false));
    close();
  });

  test('go on for one that takes little by little', async () => {
    const { writer, socket, close } = await pair(400);
    const reading = setInterval(() => socket.read(), 50);
    socket.pause();
    setTimeout(() => socket.resume(), 300);
    for (let round = 0; round < 40; round += 1) {
      writer.write(line.repeat(512));
      expect(await writer.hasRoom()).toBe('yes');
    }
    clearInterval(reading);
    socket.destroy();
    writer.write(line.repeat(1_024));
    await eventually(async () => expect(await writer.hasRoom()).toBe('ended'));
    close();
  });
});
