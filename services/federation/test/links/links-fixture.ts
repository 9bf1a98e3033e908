import { Supervisor } from '@boardwire/service-kit';
import { Contacts } from '../../src/contacts/contacts.ts';
import { Dialer } from '../../src/dialing/dialer.ts';
import { HopClient } from '../../src/hop/hop-client.ts';
import { HopSigner } from '../../src/hop/hop-signer.ts';
import { HopVerifier } from '../../src/hop/hop-verifier.ts';
import { NonceStore } from '../../src/hop/nonce-store.ts';
import { Ingest } from '../../src/ingest/ingest.ts';
import { blameOf, type Judge } from '../../src/links/blame.ts';
import { PeerDialer } from '../../src/links/dial-peer.ts';
import type { LinkParts } from '../../src/links/link-parts.ts';
import { Links } from '../../src/links/links.ts';
import { RoomMembers } from '../../src/members/room-members.ts';
import { PeerStore } from '../../src/peers/peer-store.ts';
import type { Room } from '../../src/rooms/room-store.ts';
import { ForeignSiteStore } from '../../src/site-documents/foreign-site-store.ts';
import { SiteDocuments } from '../../src/site-documents/site-documents.ts';
import { StoredSiteKeyring } from '../../src/site-documents/site-keyring.ts';
import { FeedsFixture, logger } from '../feeds-fixture.ts';
import { FedPeer } from '../support/fed-peer.ts';

/** A site's own end of its links: real storage, real HTTP, real signatures, and peers that do what a test says. */
export class LinksFixture {
  readonly contacts = new Contacts();
  readonly peers: PeerStore;
  readonly members: RoomMembers;
  readonly documents: SiteDocuments;
  readonly dialer = new Dialer({ allowedNetworks: ['127.0.0.1'], httpHosts: ['127.0.0.1'] });
  readonly peerDialer: PeerDialer;
  readonly parts: LinkParts;
  readonly keyring: StoredSiteKeyring;
  room!: Room;
  readonly #open: FedPeer[] = [];
  #supervisor: Supervisor | undefined;

  private constructor(readonly feeds: FeedsFixture) {
    const { database, identity, growth, metrics, reader, epochs } = feeds;
    const { siteId, keys } = identity;
    const sites = new ForeignSiteStore(database);
    this.keyring = new StoredSiteKeyring(sites);
    this.peers = new PeerStore(database);
    this.documents = new SiteDocuments({ dialer: this.dialer, store: sites, keyring: this.keyring });
    const shared = { database, identity, sites, epochs, logger };
    this.members = new RoomMembers({ ...shared, documents: this.documents, peers: this.peers });
    const signer = new HopSigner({ site: siteId, keyId: keys.hop.keyId, key: keys.hop.key });
    const verifier = new HopVerifier({ site: siteId, keys: this.keyring, nonces: new NonceStore(database) });
    const hop = new HopClient({ dialer: this.dialer, signer, verifier });
    this.peerDialer = new PeerDialer({
      hop,
      keys: this.keyring,
      documents: this.documents,
      own: siteId,
      ownDocument: () => identity.document,
    });
    const onAccepted = () => undefined;
    const ingest = new Ingest({ database, siteId, keyring: this.keyring, growth, metrics, logger, onAccepted });
    const { contacts, members, peers } = this;
    const judge: Judge = async (outcomes, items, carrier) => {
      for (const [at, outcome] of outcomes.entries()) {
        const blamed = blameOf(outcome, items[at]!, carrier);
        // oxlint-disable-next-line no-await-in-loop
        if (blamed !== undefined) await peers.strike(blamed.site, blamed.reason);
      }
    };
    this.parts = { site: siteId, database, ingest, reader, members, contacts, peers, judge, metrics, logger };
  }

  static async start(): Promise<LinksFixture> {
    return new LinksFixture(await FeedsFixture.start());
  }

  get site(): string {
    return this.feeds.identity.siteId;
  }

  /** A new room of this site, and nobody else in it. */
  async begin(): Promise<void> {
    await this.feeds.database.query('TRUNCATE room, peer, foreign_site CASCADE');
    this.room = await this.feeds.rooms.create('events', { alias: 'test', subjects: ['>'] });
    await this.feeds.epochs.openFeed(this.room.id);
  }

  /** Another site, that is not a member yet. */
  async peer(): Promise<FedPeer> {
    const peer = await FedPeer.start(this.room.id, this.feeds);
    this.#open.push(peer);
    return peer;
  }

  async admit(...peers: readonly FedPeer[]): Promise<void> {
    for (const peer of peers) {
      // oxlint-disable-next-line no-await-in-loop
      await this.members.admit(this.room.id, peer.id);
    }
    await this.members.take(
      this.room.id,
      peers.map(({ bundle }) => bundle),
    );
  }

  async member(): Promise<FedPeer> {
    const peer = await this.peer();
    await this.admit(peer);
    return peer;
  }

  /** Links of a service that has just started. */
  link(): Links {
    this.#supervisor = new Supervisor({ logger, metrics: this.feeds.registry });
    const links = new Links(this.parts, this.peerDialer);
    this.#supervisor.run('links', { beatEveryMs: 1_000 }, (loop) => links.run(loop));
    return links;
  }

  async unlink(): Promise<void> {
    await this.#supervisor?.stop();
    this.#supervisor = undefined;
  }

  /** How far this site has the peer's feed. */
  async has({ id }: { id: string }): Promise<number> {
    return (await this.feeds.reader.vector(this.room.id))[id]?.n ?? 0;
  }

  async end(): Promise<void> {
    await this.unlink();
    await Promise.all(this.#open.splice(0).map(({ door }) => door.close()));
  }

  async stop(): Promise<void> {
    await this.end();
    await this.dialer.close();
    await this.feeds.stop();
  }
}
