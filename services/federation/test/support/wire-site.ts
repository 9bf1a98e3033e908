import type { PeerScope } from '@boardwire/contracts';
import { openDatabase, provisionSchemas, type Database } from '@boardwire/database';
import { boot } from '@boardwire/federation';
import type { Environment, RunningService } from '@boardwire/service-kit';
import { expect } from '@jest/globals';
import { eventually, startTestInfrastructure, type TestInfrastructure } from '@boardwire/test-kit';
import { FeedEpochs } from '../../src/feeds/feed-epochs.ts';
import { KeyVault } from '../../src/identity/key-vault.ts';
import { loadSiteIdentity, type SiteIdentity } from '../../src/identity/site-identity.ts';
import { MemberStore } from '../../src/members/member-store.ts';
import { signMembership } from '../../src/members/membership-record.ts';
import { migrations } from '../../src/migrations.ts';
import { InvitationStore } from '../../src/peers/invitation-store.ts';
import { PeerStore } from '../../src/peers/peer-store.ts';
import { RoomStore, type Room } from '../../src/rooms/room-store.ts';
import { Rooms } from '../../src/rooms/rooms.ts';
import { ForeignSiteStore } from '../../src/site-documents/foreign-site-store.ts';
import { verifySiteDocument } from '../../src/identity/verify-site-document.ts';
import { ChatStandIn } from '../chat-stand-in.ts';
import { logger } from '../feeds-fixture.ts';
import { logItem } from '../log-event.ts';
import { AuditStandIn } from './audit-stand-in.ts';
import type { PeerSite } from './peer-site.ts';
import { WireClient } from './wire-client.ts';

const secret = 's'.repeat(32);

/** A federation service under test, with chat and audit played, and a hand in its database. */
export class WireSite {
  readonly #clients: WireClient[] = [];

  private constructor(
    readonly infrastructure: TestInfrastructure,
    readonly chat: ChatStandIn,
    readonly audit: AuditStandIn,
    readonly environment: Environment,
    readonly database: Database,
    readonly identity: SiteIdentity,
    public service: RunningService,
  ) {}

  static async start(more: Environment = {}): Promise<WireSite> {
    const infrastructure = await startTestInfrastructure();
    const chat = await ChatStandIn.start(infrastructure, secret);
    const audit = await AuditStandIn.start();
    const schemas = [{ schema: 'federation', role: 'boardwire_federation', password: 'p' }];
    const url = (await provisionSchemas(infrastructure.env.DATABASE_URL, schemas))['federation']!;
    const common = { NODE_ENV: 'test', LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'silent', INTERNAL_SECRET: secret };
    const places = { DATABASE_URL: url, CHAT_URL: chat.url, AUDIT_URL: audit.url };
    const environment = { ...infrastructure.env, ...common, ...places, ...more };
    const service = await boot(environment);
    const database = await openDatabase({ url, schema: 'federation', migrations, logger });
    const identity = await loadSiteIdentity(database, new KeyVault([secret]), { name: 'Boardwire', endpoints: [] });
    return new WireSite(infrastructure, chat, audit, environment, database, identity, service);
  }

  get url(): string {
    return this.service.internalUrl;
  }

  get peers(): PeerStore {
    return new PeerStore(this.database);
  }

  get invitations(): InvitationStore {
    return new InvitationStore(this.database);
  }

  async restart(): Promise<void> {
    await this.service.stop();
    this.service = await boot(this.environment);
  }

  /** A room of this site's on a board that is followed, with its own feed open behind what was said before. */
  async room(board: string, subjects = ['room.>']): Promise<Room> {
    await eventually(async () => {
      expect(await this.database.query('SELECT 1 FROM mark WHERE board = $1', [board])).toHaveLength(1);
    });
    const room = await new Rooms(this.identity, new RoomStore(this.database)).create(board, { alias: board, subjects });
    await new FeedEpochs(this.database, this.identity).openFeed(room.id);
    return room;
  }

  /** Events that this site has accepted on a board. */
  say(board: string, count: number): Promise<void> {
    return this.chat.publish(board, count, { made: (seq) => logItem(seq, { board, origin: this.identity.siteId }) });
  }

  /** A peer that was let in, as a handshake would leave it. */
  async admit(peer: PeerSite, scopes: PeerScope[] = ['read', 'write', 'relay']): Promise<WireClient> {
    const { id, room } = { id: peer.id, room: peer.room };
    const document = verifySiteDocument(peer.document() as never)!;
    await new ForeignSiteStore(this.database).put(document, peer.document() as never);
    await this.decide(peer, 'added', 1);
    await this.peers.learn(id, peer.name);
    await this.peers.grant(id, { room, scopes, subjects: ['room.>'] });
    await new FeedEpochs(this.database, this.identity).admit(room, peer.record(), peer.root);
    return this.client(peer);
  }

  /** An admin's word about a member, stored as another replica would. */
  async decide({ id, room }: PeerSite, action: 'added' | 'removed', ordinal: number): Promise<void> {
    const at = new Date().toISOString();
    const content = { v: 1 as const, room, member: id, by: this.identity.siteId, action, ordinal, at };
    await new MemberStore(this.database).put(signMembership(this.identity, content));
  }

  client(peer: PeerSite, url = this.url): WireClient {
    const client = new WireClient(peer, this.identity, url);
    this.#clients.push(client);
    return client;
  }

  /** What audit was told, by action. */
  audited(action: string) {
    return this.audit.decisions.filter((decision) => decision.action === action);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await this.service.stop();
    await this.database.close();
    await this.chat.close();
    await this.audit.close();
    await this.infrastructure.stop();
  }
}
