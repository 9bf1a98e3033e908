import { describe, expect, test } from '@jest/globals';
import { createContext, readConfig } from '@boardwire/service-kit';
import { eventually } from '@boardwire/test-kit';
import { gatewayConfig } from '../src/config.ts';
import { createGateway } from '../src/create-gateway.ts';
import type { BoardChannel } from '../src/delivery/board-channel.ts';
import type { EphemeralEvent } from '../src/delivery/ephemeral-lane.ts';
import { FilterSet } from '../src/delivery/filter-set.ts';
import type { LiveGroup, LiveMember } from '../src/delivery/live-group.ts';
import { epoch, logEvent } from './support/memory-board.ts';

const nowhere = 'http://127.0.0.1:9';
const config = readConfig(gatewayConfig, {
  INTERNAL_SECRET: 's'.repeat(32),
  LOG_LEVEL: 'silent',
  CHAT_URL: nowhere,
  AUDIT_URL: nowhere,
  FEDERATION_URL: nowhere,
  APPLETS_URL: nowhere,
});

/** Somebody live, who can't take what comes when told so. */
class Reader implements LiveMember {
  readonly joinedAt = 0;
  readonly written: string[] = [];
  readonly failures: unknown[] = [];
  throws: Error | undefined;
  throwsAgain = false;
  group: LiveGroup | undefined;

  deliver(bytes: Buffer): void {
    if (this.throws !== undefined) throw this.throws;
    this.written.push(bytes.toString());
  }

  deliverEphemeral(bytes: Buffer): boolean {
    this.deliver(bytes);
    return true;
  }

  onReset(): void {}
  onBehind(): void {}
  onInterrupted(): void {}

  fail(error: unknown): void {
    this.failures.push(error);
    if (this.throwsAgain) throw new Error('and again');
  }
}

/** A gateway's own wiring of logger and metrics, over one board. */
function gatewayOfOneBoard() {
  const context = createContext('gateway', config);
  const logged: Record<string, unknown>[] = [];
  Object.assign(context.logger, { error: (line: Record<string, unknown>) => void logged.push(line) });
  const { gateway } = createGateway(context, config, { isStreaming: () => false, syncedAt: () => 0 });
  gateway.boards.startEpoch('b', epoch, 0);
  const channel = gateway.boards.channel('b')!;
  const counted = async (by: string) => {
    const text = await context.metrics.registry.metrics();
    return Number(new RegExp(`^boardwire_reader_failures_total\\{by="${by}"\\} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  };
  return { channel, logged, counted, append: (seq: number) => channel.append([logEvent(seq, 'a.b')]) };
}

interface Encoder {
  key: string;
  fails?: Error;
  sharedKey?: string;
}

function join(channel: BoardChannel, { key, fails, sharedKey }: Encoder): Reader {
  const reader = new Reader();
  const wanted = new FilterSet(['>']);
  const encode = (events: readonly { subject: string }[]) => {
    if (fails !== undefined) throw fails;
    return Buffer.from(`${key}: ${events.map(({ subject }) => subject).join()}`);
  };
  reader.group = channel.join(reader, {
    key,
    wanted,
    encoder: () => ({
      ...(sharedKey === undefined ? {} : { sharedKey }),
      encode: (_epoch, events) => encode(events),
      encodeEphemeral: (events: readonly EphemeralEvent[]) => encode(events),
    }),
  });
  return reader;
}

describe('an encoder that throws', () => {
  test('ends its own subscriptions, is logged once, counted for each of them, and the pass goes on', async () => {
    const { channel, logged, counted, append } = gatewayOfOneBoard();
    const broken = new Error('can not be encoded');
    const before = join(channel, { key: 'before' });
    const victims = [0, 1, 2].map(() => join(channel, { key: 'broken', fails: broken }));
    // Another group of the format that is broken: the same exception a second time in the same pass.
    victims.push(join(channel, { key: 'broken too', sharedKey: 'x', fails: broken }));
    const after = join(channel, { key: 'after' });
    append(1);
    await eventually(() => expect(after.written).toEqual(['after: a.b']), { everyMs: 1 });
    expect(before.written).toEqual(['before: a.b']);
    await eventually(() => expect(logged).toHaveLength(1), { everyMs: 1 });
    append(2);
    await eventually(() => expect(after.written).toHaveLength(2), { everyMs: 1 });
    expect(before.written).toHaveLength(2);
    for (const victim of victims) expect([victim.failures, victim.written]).toEqual([[broken], []]);
    expect(logged).toEqual([
      { event: 'delivery.reader_failed', by: 'encoder', subscriptions: victims.length, err: broken },
    ]);
    expect([await counted('encoder'), await counted('handler')]).toEqual([victims.length, 0]);
  });
});

describe('a handler that throws', () => {
  test.each(['stored', 'ephemeral'] as const)(
    'ends its own subscription, is logged once and counted, and the pass goes on: %s',
    async (kind) => {
      const { channel, logged, counted, append } = gatewayOfOneBoard();
      const readers = Array.from({ length: 5 }, () => join(channel, { key: 'one', sharedKey: 'one' }));
      const victim = readers[2]!;
      victim.throws = new Error('the socket is in no mood');
      const others = readers.filter((reader) => reader !== victim);
      const send = (seq: number) =>
        kind === 'stored'
          ? append(seq)
          : channel.addEphemeral({ subject: 'a.b', type: 'note', bytes: Buffer.from('{}') });
      send(1);
      await eventually(() => expect(others.map(({ written }) => written.length)).toEqual([1, 1, 1, 1]), { everyMs: 1 });
      await eventually(() => expect(logged).toHaveLength(1), { everyMs: 1 });
      send(2);
      await eventually(() => expect(others.map(({ written }) => written.length)).toEqual([2, 2, 2, 2]), { everyMs: 1 });
      expect([victim.failures, victim.written]).toEqual([[victim.throws], []]);
      expect(victim.group!.members.has(victim)).toBe(false);
      expect(logged).toEqual([
        { event: 'delivery.reader_failed', by: 'handler', subscriptions: 1, err: victim.throws },
      ]);
      expect([await counted('encoder'), await counted('handler')]).toEqual([0, 1]);
    },
  );

  test('is out of the way even when its end throws as well', async () => {
    const { channel, logged, counted, append } = gatewayOfOneBoard();
    const victim = join(channel, { key: 'one' });
    const other = join(channel, { key: 'one' });
    Object.assign(victim, { throws: new Error('first'), throwsAgain: true });
    const got = () => other.written.join().match(/a\.b/g)?.length;
    append(1);
    append(2);
    await eventually(() => expect(got()).toBe(2), { everyMs: 1 });
    append(3);
    await eventually(() => expect(got()).toBe(3), { everyMs: 1 });
    expect(victim.failures).toEqual([victim.throws]);
    expect(logged.map(({ err }) => err)).toEqual([victim.throws]);
    expect(await counted('handler')).toBe(1);
  });
});
