import type { FeedVector, MemberBundle } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import type { Logger } from '@boardwire/service-kit';
import type { FeedReader } from '../feeds/feed-reader.ts';
import type { Ingest } from '../ingest/ingest.ts';
import type { FederationMetrics } from '../metrics.ts';
import type { PeerStore } from '../peers/peer-store.ts';
import type { Judge } from './blame.ts';

/** Who takes part in a room, by what admins have signed. */
export interface LinkMembers {
  bundles(room: string): Promise<MemberBundle[]>;
  take(room: string, bundles: readonly MemberBundle[]): Promise<{ added: string[] }>;
  sites(room: string): Promise<string[]>;
  onChanged(listener: (room: string) => void): () => void;
}

/** What is known of peers that have dialled in. */
export interface LinkContacts {
  hasStream(site: string, room: string): boolean;
  vectorOf(site: string, room: string): FeedVector | undefined;
  /** Ends the streams that this peer has open: it gets nothing of them. */
  dismiss(site: string, room: string): void;
  onChanged(listener: () => void): () => void;
}

/** What links to other sites are made of. */
export interface LinkParts {
  /** This site's id. */
  site: string;
  database: Database;
  ingest: Pick<Ingest, 'take' | 'check' | 'store'>;
  reader: FeedReader;
  members: LinkMembers;
  contacts: LinkContacts;
  peers: PeerStore;
  judge: Judge;
  metrics: FederationMetrics;
  logger: Logger;
}
