import { describe, expect, test } from '@jest/globals';
import { eventually } from '@boardwire/test-kit';
import { BoardChannel } from '../src/delivery/board-channel.ts';
import type { EphemeralEvent } from '../src/delivery/ephemeral-lane.ts';
import { FilterSet } from '../src/delivery/filter-set.ts';
import type { LiveMember } from '../src/delivery/live-group.ts';
import { SseFormat } from '../src/delivery/sse-format.ts';
import { epoch, logEvent, quietPasses, turn } from './support/memory-board.ts';

const plain = new SseFormat({ isNamed: false, framing: 'plain' });

function ephemeral(subject: string, text: string): EphemeralEvent {
  return { subject, type: 'note', bytes: Buffer.from(JSON.stringify({ subject, text })) };
}

/** Somebody live: what was written, and how often. */
class Reader implements LiveMember {
  readonly joinedAt = 0;
  readonly written: string[] = [];
  readonly failures: unknown[] = [];
  hasRoom = true;

  deliver(bytes: Buffer): void {
    this.written.push(bytes.toString());
  }

  deliverEphemeral(bytes: Buffer): boolean {
    if (this.hasRoom) this.written.push(bytes.toString());
    return this.hasRoom;
  }

  onReset(): void {}
  onBehind(): void {}

  onInterrupted(): void {}
  fail(error: unknown): void {
    this.failures.push(error);
  }
}

function board() {
  const passes: { deliveries: number; dropped: number }[] = [];
  const told = { overflow: 0, encoded: 0 };
  const observer = {
    ...quietPasses,
    onEphemeralPass: (pass: { deliveries: number; dropped: number }) => void passes.push(pass),
    onEphemeralOverflow: (events: number) => void (told.overflow += events),
  };
  const channel = new BoardChannel({ board: 'b', epoch, head: 0, ring: { eventsMax: 64, bytesMax: 1e6 }, observer });
  const join = (filters: string[], types?: string[]) => {
    const reader = new Reader();
    const wanted = new FilterSet(filters, types);
    const encoder = () => ({
      sharedKey: 'sse',
      encode: (of: string, events: Parameters<SseFormat['events']>[1]) => plain.events(of, events),
      encodeEphemeral: (events: readonly EphemeralEvent[]) => {
        told.encoded += 1;
        return plain.ephemeral(events);
      },
    });
    channel.join(reader, { key: wanted.key, wanted, encoder });
    return reader;
  };
  return { channel, passes, told, join };
}

describe('ephemeral events of a board', () => {
  test('reach who wants them, coalesced in one write, encoded once for equal wishes', async () => {
    const { channel, passes, told, join } = board();
    const [all, some, same, none] = [join(['>']), join(['a.*']), join(['a.x', 'a.y']), join(['b'])];
    const typed = join(['>'], ['other']);
    const sent = [ephemeral('a.x', '1'), ephemeral('a.y', '2'), ephemeral('c', '3')];
    for (const event of sent) channel.addEphemeral(event);
    expect(all.written).toEqual([]);
    await eventually(() => expect(passes).toEqual([{ deliveries: 7, dropped: 0 }]));
    expect(all.written).toEqual([plain.ephemeral(sent).toString()]);
    expect(some.written).toEqual([plain.ephemeral(sent.slice(0, 2)).toString()]);
    expect(same.written).toEqual(some.written);
    expect([...none.written, ...typed.written]).toEqual([]);
    expect(told.encoded).toBe(2);
  });

  test('stay out of the way of stored ones, which go first, and move nobody’s position', async () => {
    const { channel, join } = board();
    const reader = join(['>']);
    channel.addEphemeral(ephemeral('a', 'e'));
    channel.append([logEvent(1, 'a')]);
    await eventually(() => expect(reader.written).toHaveLength(2));
    expect(reader.written[0]).toContain(`id: ${epoch}-1\n`);
    expect(reader.written[1]).not.toContain('id:');
    expect(channel.settled).toBe(1);
  });

  test('are kept from subjects that are not open, and dropped and counted without room', async () => {
    const { channel, passes, join } = board();
    channel.setRules([{ pattern: 'secret', class: 'ephemeral', access: 'members' }]);
    const [reader, slow] = [join(['>']), join(['>', 'a'])];
    slow.hasRoom = false;
    channel.addEphemeral(ephemeral('secret', 'no'));
    channel.addEphemeral(ephemeral('a', 'yes'));
    await eventually(() => expect(passes).toEqual([{ deliveries: 1, dropped: 1 }]));
    expect(reader.written.join('')).not.toContain('secret');
  });

  test('are bounded while they wait', async () => {
    const { channel, passes, told, join } = board();
    const reader = join(['>']);
    for (let count = 0; count < 2_000; count += 1) channel.addEphemeral(ephemeral('a', String(count)));
    expect(told.overflow).toBe(2_000 - 1_024);
    const large = 'x'.repeat(60_000);
    await eventually(() => expect(passes.reduce((sum, { deliveries }) => sum + deliveries, 0)).toBe(1_024));
    expect(reader.written.every((text) => text.length < 80_000)).toBe(true);
    for (let count = 0; count < 30; count += 1) channel.addEphemeral(ephemeral('a', large));
    expect(told.overflow).toBe(2_000 - 1_024 + 30 - 17);
    for (let turns = 0; turns < 40; turns += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one pass each turn
      await turn();
    }
    expect(reader.written.filter((text) => text.includes(large))).toHaveLength(17);
  });

  test('end only the subscriptions whose encoder throws', async () => {
    const { channel, join } = board();
    const bad = new Reader();
    const wanted = new FilterSet(['a']);
    const broken = () => {
      throw new Error('broken');
    };
    channel.join(bad, { key: 'bad', wanted, encoder: () => ({ encode: broken, encodeEphemeral: broken }) });
    const good = join(['a']);
    channel.addEphemeral(ephemeral('a', '1'));
    await eventually(() => expect(good.written).toHaveLength(1));
    expect(bad.failures).toHaveLength(1);
  });
});
