import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { createLogger, Metrics } from '@boardwire/service-kit';
import { Backfill, type BackfillOptions, type Looking } from '../../src/links/backfill.ts';
import { RoomProgress } from '../../src/links/room-progress.ts';
import { FederationMetrics } from '../../src/metrics.ts';

/** One feed, of the site `origin`, whose stream is open, and of which `other` tells too. */
class Case {
  nowMs = 1_000;
  /** How far the feed is here. */
  n = 5;
  isAwaited = false;
  /** Who is asked for the feed's stream. */
  carrier = 'origin';
  readonly asked: string[] = [];
  readonly progress = new RoomProgress(
    'own',
    async () => [{ site: 'origin', epoch: 'e1', ordinal: 0, n: this.n, hash: 'h', state: 'open', after: undefined }],
    () => this.nowMs,
  );
  readonly #backfill: Backfill;

  private constructor() {
    const logger = createLogger({ service: 'test', level: 'silent' });
    const client = (site: string) => ({ site, page: async () => (this.asked.push(site), { items: [], n: 0 }) });
    this.#backfill = new Backfill({
      room: 'br1',
      ingest: { check: async () => ({ items: [] }) },
      metrics: new FederationMetrics(new Metrics()),
      progress: this.progress,
      clients: () => ['origin', 'other', ...(this.carrier === 'relay' ? ['relay'] : [])].map(client),
      onFailed: () => undefined,
      logger,
    } as unknown as BackfillOptions);
  }

  static async begin(): Promise<Case> {
    const one = new Case();
    await one.progress.refresh();
    return one;
  }

  tells(peer: string, n: number): void {
    this.progress.heard(peer, { origin: { epoch: 'e1', n } });
  }

  /** Whom it asked for the feed, so long after the last look. */
  async afterMs(ms: number): Promise<string[]> {
    this.nowMs += ms;
    const { signal } = new AbortController();
    const looking: Looking = { carriers: new Map([['origin', this.carrier]]), isAwaited: () => this.isAwaited, signal };
    this.#backfill.look(looking);
    for (let turns = 0; turns < 10; turns += 1) {
      // oxlint-disable-next-line no-await-in-loop -- until it has read what is here, and asked
      await turn();
    }
    return this.asked.splice(0);
  }
}

test('what its carrier has told of and hasn’t brought is asked for soon', async () => {
  const one = await Case.begin();
  one.tells('origin', 6);
  expect(await one.afterMs(290)).toEqual([]);
  expect(await one.afterMs(20)).toEqual(['origin', 'other']);
});

test('what only another one has told of may be on its way: it is given longer, and its site isn’t asked twice', async () => {
  const one = await Case.begin();
  one.tells('other', 6);
  expect(await one.afterMs(310)).toEqual([]);
  expect(await one.afterMs(400)).toEqual([]);
  expect(await one.afterMs(50)).toEqual(['other']);
});

test('a relay that hasn’t told of it is asked all the same: it may be in trouble', async () => {
  const one = await Case.begin();
  one.carrier = 'relay';
  one.tells('other', 6);
  expect(await one.afterMs(800)).toEqual(['relay', 'origin', 'other']);
});

test('what has come since somebody looked last isn’t asked for, nor what is coming', async () => {
  const one = await Case.begin();
  one.tells('origin', 6);
  one.n = 6;
  expect(await one.afterMs(10_000)).toEqual([]);
  one.tells('origin', 7);
  one.isAwaited = true;
  expect(await one.afterMs(10_000)).toEqual([]);
  one.isAwaited = false;
  expect(await one.afterMs(0)).toEqual(['origin', 'other']);
});
