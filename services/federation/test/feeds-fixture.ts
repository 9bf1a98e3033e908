import { openDatabase, provisionSchemas, type Database } from '@boardwire/database';
import { Metrics, createLogger } from '@boardwire/service-kit';
import { startTestPostgres } from '@boardwire/test-kit';
import { FeedEpochs } from '../src/feeds/feed-epochs.ts';
import { FeedReader } from '../src/feeds/feed-reader.ts';
import { Growth } from '../src/feeds/growth.ts';
import { KeyVault } from '../src/identity/key-vault.ts';
import { loadSiteIdentity, type SiteIdentity } from '../src/identity/site-identity.ts';
import { FederationMetrics } from '../src/metrics.ts';
import { migrations } from '../src/migrations.ts';
import { RoomStore } from '../src/rooms/room-store.ts';
import { Rooms } from '../src/rooms/rooms.ts';

export const logger = createLogger({
  service: 'test',
  level: process.env['LOG_LEVEL'] === undefined ? 'silent' : 'debug',
});

/** A site's federation schema on a real Postgres, opened by two replicas, and what is built over it. */
export class FeedsFixture {
  readonly growth = new Growth();
  readonly registry = new Metrics();
  readonly metrics = new FederationMetrics(this.registry);
  readonly rooms: Rooms;
  readonly epochs: FeedEpochs;
  readonly reader: FeedReader;

  private constructor(
    readonly identity: SiteIdentity,
    readonly database: Database,
    readonly other: Database,
    readonly stop: () => Promise<void>,
  ) {
    this.rooms = new Rooms(identity, new RoomStore(database));
    this.epochs = new FeedEpochs(database, identity);
    this.reader = new FeedReader(database, identity, this.growth);
  }

  /** On a Postgres of its own, or on this one. */
  static async start(adminUrl?: string): Promise<FeedsFixture> {
    const postgres = adminUrl === undefined ? await startTestPostgres() : undefined;
    const schemas = [{ schema: 'federation', role: 'boardwire_federation', password: 'p' }];
    const urls = await provisionSchemas(adminUrl ?? postgres!.postgres.url, schemas);
    const open = () => openDatabase({ url: urls['federation']!, schema: 'federation', migrations, logger });
    const [database, other] = [await open(), await open()];
    const vault = new KeyVault(['s'.repeat(32)]);
    const identity = await loadSiteIdentity(database, vault, { name: 'Test', endpoints: [] });
    return new FeedsFixture(identity, database, other, async () => {
      await Promise.all([database.close(), other.close()]);
      await postgres?.stop();
    });
  }

  async clear(): Promise<void> {
    await this.database.query('TRUNCATE room, feed, feed_item, feed_hole, redaction, evidence, handover, mark CASCADE');
  }

  async outcomes(dir: 'in' | 'out'): Promise<Record<string, number>> {
    const { values } = await this.registry.registry.getSingleMetric('boardwire_fed_items_total')!.get();
    return Object.fromEntries(
      values.filter(({ labels }) => labels['dir'] === dir).map(({ labels, value }) => [labels['outcome'], value]),
    );
  }
}
