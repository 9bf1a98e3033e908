import { describe, expect, test } from '@jest/globals';
import type { BusMessage } from '@boardwire/messaging';
import { AckQueue } from '../src/ack-queue.ts';
import { BoardTrack, Held } from '../src/board-track.ts';

function track(): BoardTrack {
  const announced = { slug: 'a', id: 1, epoch: 'e', epochOrdinal: 0, head: 0, relayed: 0, timeZone: 'UTC', rules: [] };
  return new BoardTrack(announced, new Held(1_000));
}

const message = (streamSequence: number): BusMessage => ({
  subject: 'board.a.x',
  data: new Uint8Array(),
  headers: { get: () => '' },
  streamSequence,
  receivedAt: 0,
});

describe('the queue of acknowledgements', () => {
  test('holds each message once, however often delivery breaks while the handler is stuck', () => {
    const acked: BusMessage[] = [];
    const queue = new AckQueue((each) => void acked.push(each));
    const board = track();
    let newest: BusMessage[] = [];
    for (let round = 0; round < 5; round += 1) {
      newest = Array.from({ length: 10 }, (_, at) => message(at + 1));
      for (const [at, each] of newest.entries()) queue.add(each, board, at + 1);
      queue.expectRepeats();
    }
    expect(queue.depth).toBe(10);
    board.handed = 7;
    queue.acknowledgeDone();
    // By its newest delivery, which is the one that the server waits for.
    expect(acked).toEqual([newest[6]]);
    expect(acked[0]).toBe(newest[6]);
    expect(queue.depth).toBe(3);
  });

  test('takes no notice of what comes again after it was acknowledged', () => {
    const acked: BusMessage[] = [];
    const queue = new AckQueue((each) => void acked.push(each));
    for (const sequence of [1, 2, 3]) queue.add(message(sequence));
    queue.acknowledgeDone();
    queue.add(message(2));
    queue.acknowledgeDone();
    expect(acked.map(({ streamSequence }) => streamSequence)).toEqual([3]);
  });
});
