import { describe, expect, test } from '@jest/globals';
import { eventually } from '@boardwire/test-kit';
import { RemovalWatch } from '../src/delivery/removal-watch.ts';
import { logEvent, newChannel } from './support/memory-board.ts';

/** Chat's list of removals, whose answers can be held back. */
function removalLog() {
  const removed: number[] = [];
  let held: (() => void) | undefined;
  let isHolding = false;
  return {
    removed: async (_board: string, from: number) => {
      const answer = { removals: removed.length, seqs: removed.filter((seq) => seq >= from) };
      if (isHolding) await new Promise<void>((resolve) => (held = resolve));
      return answer;
    },
    remove: (seq: number) => removed.push(seq),
    hold: () => void (isHolding = true),
    letGo: () => {
      isHolding = false;
      held?.();
    },
  };
}

function watched() {
  const channel = newChannel(0);
  channel.append([1, 2, 3, 4].map((seq) => logEvent(seq, 'a')));
  const log = removalLog();
  const failures: unknown[] = [];
  const watch = new RemovalWatch({
    log,
    channel: () => channel,
    onRedacted: () => {},
    onFailure: (_board, error) => void failures.push(error),
  });
  const tell = (removals: number) => watch.look({ slug: 'events', removals });
  return { channel, log, tell, failures };
}

describe('content that was removed from the log', () => {
  test('leaves this pod also when another removal is told while chat is asked for the first', async () => {
    const { channel, log, tell, failures } = watched();
    log.remove(2);
    log.hold();
    tell(1);
    log.remove(3);
    tell(2);
    log.letGo();
    await eventually(() => expect([2, 3].map((seq) => channel.ring.get(seq)!.removed)).toEqual([true, true]));
    expect(channel.ring.get(4)!.removed).toBe(false);
    expect(failures).toEqual([]);
  });

  test('leaves it in a new epoch too, whose backup knows of fewer removals', async () => {
    const { channel, log, tell } = watched();
    for (const seq of [1, 2]) log.remove(seq);
    tell(2);
    await eventually(() => expect(channel.removals).toBe(2));
    channel.restart('epoch002', 0);
    channel.append([1, 2].map((seq) => logEvent(seq, 'a')));
    const restored = removalLog();
    restored.remove(1);
    const again = new RemovalWatch({
      log: restored,
      channel: () => channel,
      onRedacted: () => {},
      onFailure: () => {},
    });
    again.look({ slug: 'events', removals: 1 });
    await eventually(() => expect(channel.ring.get(1)!.removed).toBe(true));
    expect(channel.ring.get(2)!.removed).toBe(false);
  });
});
