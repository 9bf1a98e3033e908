import { afterEach, describe, expect, test } from '@jest/globals';
import { createLogger, Metrics, Supervisor, type Loop } from '../src/index.ts';

const beatEveryMs = 200;
let supervisor: Supervisor | undefined;
let metrics: Metrics;

function supervise(): Supervisor {
  metrics = new Metrics();
  supervisor = new Supervisor({ logger: createLogger({ service: 'test', level: 'silent' }), metrics });
  return supervisor;
}

afterEach(() => supervisor?.stop());

/** Polls until the claim holds, and answers after how many milliseconds it did. */
async function until(claim: () => boolean, withinMs: number): Promise<number> {
  const from = Date.now();
  while (!claim()) {
    if (Date.now() - from > withinMs) throw new Error(`not within ${withinMs} ms: ${claim.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return Date.now() - from;
}

const forever = (loop: Loop) => loop.idle(3_600_000);
/** Lives without a beat, until it is told to end. */
const silent = (loop: Loop) =>
  new Promise<void>((resolve) => loop.signal.addEventListener('abort', () => resolve(), { once: true }));
const isUnhealthy = (name: string) => supervisor!.unhealthy().includes(name);

async function value(name: string, loop: string): Promise<number | undefined> {
  const { values } = await metrics.registry.getSingleMetric(name)!.get();
  return values.find(({ labels }) => (labels as { loop?: string }).loop === loop)?.value;
}

/** A loop stays unhealthy when it is so at each of many looks, not only at one. */
async function staysUnhealthy(name: string, forMs: number): Promise<void> {
  const from = Date.now();
  while (Date.now() - from < forMs) {
    expect(supervisor!.unhealthy()).toContain(name);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

describe('a loop that does not live is noticed within 2 s', () => {
  test('one that returns at once', async () => {
    supervise().run('hasty', { beatEveryMs }, () => Promise.resolve());
    await until(() => isUnhealthy('hasty'), 500);
    await staysUnhealthy('hasty', 1_000);
    expect(supervisor!.status()[0]).toMatchObject({ name: 'hasty', alive: false, lastError: 'the body returned' });
  });

  test('one that beats once and returns never looks healthy again', async () => {
    supervise().run('flickering', { beatEveryMs }, async (loop) => loop.beat());
    await until(() => isUnhealthy('flickering'), 500);
    await staysUnhealthy('flickering', 1_500);
    expect(supervisor!.status()[0]!.restarts).toBeGreaterThan(0);
  });

  test('one that throws, also before its first await', async () => {
    supervise().run('broken', { beatEveryMs }, () => {
      throw new Error('out of paper');
    });
    await until(() => isUnhealthy('broken'), 500);
    expect(supervisor!.status()[0]!.lastError).toBe('out of paper');
  });

  test('one that never starts to beat', async () => {
    supervise().run('mute', { beatEveryMs }, silent);
    expect(await until(() => isUnhealthy('mute'), 2_000)).toBeGreaterThanOrEqual(2 * beatEveryMs - 100);
  });

  test('one that stops to beat', async () => {
    let mute = () => {};
    supervise().run('tired', { beatEveryMs }, async (loop) => {
      await loop.idle(3_600_000, new Promise<void>((resolve) => (mute = resolve)));
      await silent(loop);
    });
    await new Promise((resolve) => setTimeout(resolve, 3 * beatEveryMs));
    expect(supervisor!.unhealthy()).toEqual([]);
    mute();
    await until(() => isUnhealthy('tired'), 2_000);
  });
});

describe('a loop that failed', () => {
  test('is started again and healthy once it has beaten and lived for a period', async () => {
    let lives = 0;
    supervise().run('stumbling', { beatEveryMs }, (loop) => {
      lives += 1;
      return lives <= 2 ? Promise.reject(new Error('not yet')) : forever(loop);
    });
    await until(() => lives === 3, 5_000);
    expect(supervisor!.unhealthy()).toEqual(['stumbling']);
    await until(() => !isUnhealthy('stumbling'), 2_000);
    expect(supervisor!.status()[0]).toMatchObject({ alive: true, restarts: 2, lastError: 'not yet' });
    expect(await value('boardwire_loop_restarts_total', 'stumbling')).toBe(2);
  });

  test('does not trouble its neighbours', async () => {
    supervise().run('bad', { beatEveryMs }, () => Promise.reject(new Error('no')));
    supervisor!.run('good', { beatEveryMs }, forever);
    await until(() => isUnhealthy('bad'), 500);
    await new Promise((resolve) => setTimeout(resolve, 3 * beatEveryMs));
    expect(supervisor!.unhealthy()).toEqual(['bad']);
  });

  test('is told to end when it stays silent, and starts again', async () => {
    let lives = 0;
    supervise().run('hung', { beatEveryMs }, (loop) => {
      lives += 1;
      if (lives > 1) return forever(loop);
      return silent(loop);
    });
    await until(() => lives === 2 && !isUnhealthy('hung'), 10_000);
    expect(supervisor!.status()[0]!.lastError).toBe('the body missed too many beats');
  }, 15_000);
});

test('a stalled event loop is not blamed on the loops', async () => {
  supervise().run('innocent', { beatEveryMs }, forever);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const until = Date.now() + 1_000;
  while (Date.now() < until);
  expect(supervisor!.unhealthy()).toEqual([]);
});

test('the last beat is a metric in Unix seconds, 0 before the first', async () => {
  supervise().run('beating', { beatEveryMs }, forever);
  supervisor!.run('mute', { beatEveryMs }, silent);
  expect(await value('boardwire_loop_last_beat_seconds', 'mute')).toBe(0);
  expect(Math.abs((await value('boardwire_loop_last_beat_seconds', 'beating'))! - Date.now() / 1_000)).toBeLessThan(2);
});

describe('stop', () => {
  test('ends every loop at once, also one that waits for its restart, and leaves no timer', async () => {
    const timersBefore = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    supervise().run('idle', { beatEveryMs }, forever);
    let lives = 0;
    supervisor!.run('restarting', { beatEveryMs }, () => {
      lives += 1;
      return Promise.reject(new Error('no'));
    });
    await until(() => lives >= 3, 10_000);
    const from = Date.now();
    await supervisor!.stop();
    expect(Date.now() - from).toBeLessThan(100);
    const livesAtStop = lives;
    const timersAfter = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    expect(timersAfter).toBeLessThanOrEqual(timersBefore);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(lives).toBe(livesAtStop);
  }, 15_000);

  test('waits for a body that cleans up', async () => {
    let isClean = false;
    supervise().run('tidy', { beatEveryMs }, async (loop) => {
      await loop.idle(3_600_000);
      await new Promise((resolve) => setTimeout(resolve, 100));
      isClean = true;
    });
    await supervisor!.stop();
    expect(isClean).toBe(true);
  });
});
