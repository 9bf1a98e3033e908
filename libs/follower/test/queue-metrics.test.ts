import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@boardwire/test-kit';
import { FollowerFixture, TestMarks, type Recorder } from './follower-fixture.ts';

/** How often a wait of this queue was told, and how long all of them were. */
async function waitsOf({ metrics }: Recorder, queue: string): Promise<{ count: number; seconds: number }> {
  const text = await metrics.registry.metrics();
  const value = (part: string) =>
    Number(new RegExp(`^boardwire_queue_wait_seconds_${part}\\{queue="${queue}"\\} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
  return { count: value('count'), seconds: value('sum') };
}

describe('what a follower tells of its queues', () => {
  let fixture: FollowerFixture;
  beforeAll(async () => void (fixture = await FollowerFixture.start()));
  beforeEach(() => fixture.prepare());
  afterEach(() => fixture.stopFollowers());
  afterAll(() => fixture.stop());

  test('the depth of the intake, its wait and what is pending rise while the handler is busy', async () => {
    const board = fixture.log.create('events');
    const marks = new TestMarks();
    let goOn = () => {};
    const isFree = new Promise<void>((resolve) => (goOn = resolve));
    // All there before it comes: a delivery tells what waited behind it at that moment.
    await fixture.publish(board, 600);
    const recorder = await fixture.follow({
      name: 'reader',
      marks,
      durable: 'reader-v1',
      queueMax: 200,
      onEvents: async (_board, events) => {
        await isFree;
        marks.store(events);
      },
    });
    await eventually(() => expect(recorder.metrics.queueDepths()['intake']).toBeGreaterThan(50));
    await eventually(async () => {
      const text = await recorder.metrics.registry.metrics();
      expect(text).toMatch(/^boardwire_consumer_pending\{consumer="reader-v1"\} [1-9]/m);
    });
    expect(await waitsOf(recorder, 'intake')).toEqual({ count: 0, seconds: 0 });
    await new Promise((resolve) => setTimeout(resolve, 200));
    goOn();
    await eventually(() => expect(marks.marks.get('events aaaaaaaa')).toBe(600), { timeoutMs: 10_000 });
    const { count, seconds } = await waitsOf(recorder, 'intake');
    // Once for a batch at most.
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(100);
    expect(seconds).toBeGreaterThan(0.2);
    expect(recorder.metrics.queueDepths()['intake']).toBe(0);
  });

  test('one wait for each turn that brought something, and one for each hole', async () => {
    const board = fixture.log.create('events');
    const recorder = await fixture.follow();
    await fixture.publish(board, 100);
    await eventually(() => expect(recorder.seqs('events')).toHaveLength(100));
    const { count } = await waitsOf(recorder, 'intake');
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThanOrEqual(100);
    expect(await waitsOf(recorder, 'hole_fill')).toEqual({ count: 0, seconds: 0 });
    const [, ...behind] = fixture.log.append(board, 3);
    await fixture.mirror(board, behind);
    await eventually(() => expect(recorder.seqs('events')).toHaveLength(103));
    expect((await waitsOf(recorder, 'hole_fill')).count).toBe(1);
    expect((await waitsOf(recorder, 'hole_fill')).seconds).toBeLessThan(2);
  });
});
