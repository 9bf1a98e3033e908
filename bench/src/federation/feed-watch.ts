import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase, type Database } from '@boardwire/database';
import type { BenchSite } from '../site/bench-site.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const everyMs = 10;

/** How far a site has a feed, as its federation service has stored it: asked of the database, past the service. */
export class FeedWatch {
  private constructor(
    private readonly database: Database,
    private readonly feed: string,
  ) {}

  static async open({ site }: BenchSite, feed: string): Promise<FeedWatch> {
    const { url } = site.postgres;
    const database = await openDatabase({ url, schema: 'federation', migrations: [], poolMax: 1, logger: quiet });
    return new FeedWatch(database, feed);
  }

  async n(): Promise<number> {
    const sql = 'SELECT n FROM federation.feed WHERE site = $1 ORDER BY ordinal DESC LIMIT 1';
    const rows = await this.database.prepared<{ n: number }>({ name: 'feed_n', sql }, [this.feed]);
    return rows[0]?.n ?? 0;
  }

  /** The places that were seen on the way to this one, each when it was first seen. */
  async until(target: number, maxMs: number): Promise<{ n: number; atMs: number }[]> {
    const seen = [{ n: await this.n(), atMs: performance.now() }];
    const deadline = performance.now() + maxMs;
    while (seen.at(-1)!.n < target) {
      if (performance.now() > deadline) throw new Error(`the feed stands at ${seen.at(-1)!.n} of ${target}`);
      await sleep(everyMs);
      const n = await this.n();
      if (n !== seen.at(-1)!.n) seen.push({ n, atMs: performance.now() });
    }
    return seen;
  }

  close(): Promise<void> {
    return this.database.close();
  }
}
