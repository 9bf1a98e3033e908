import { createHash } from 'node:crypto';
import { federationLimits, type MemberBundle, type RoomGenesis } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import { AppError, type Logger } from '@boardwire/service-kit';
import { importVerifyingKey, type Envelope, type VerifyingKey } from '@boardwire/signing';
import type { FeedEpochs } from '../feeds/feed-epochs.ts';
import type { SiteIdentity } from '../identity/site-identity.ts';
import type { PeerStore } from '../peers/peer-store.ts';
import { genesisIn } from '../rooms/room-genesis.ts';
import { RoomStore, type Room } from '../rooms/room-store.ts';
import type { ForeignSiteStore } from '../site-documents/foreign-site-store.ts';
import type { SiteDocuments } from '../site-documents/site-documents.ts';
import { holds, provenMembership, signMembership, type MembershipRecord, type RootKeyOf } from './membership-record.ts';
import { MemberStore, type StoredMember } from './member-store.ts';
import { proveBundle, type ProvenBundle } from './proven-bundle.ts';

export interface RoomMembersOptions {
  database: Database;
  identity: SiteIdentity;
  sites: ForeignSiteStore;
  documents: Pick<SiteDocuments, 'take'>;
  epochs: FeedEpochs;
  peers: PeerStore;
  logger: Logger;
}

type Listener = (room: string) => void;

/** A room with what its genesis says of it. */
interface KnownRoom {
  room: Room;
  genesis: RoomGenesis;
}

const takenMax = 10_000;

/**
 * Who takes part in a room, by what its admins have signed: beside the feeds, since a site has to be a member before its
 * feed is taken. Whoever brings a bundle, each part of it proves itself.
 */
export class RoomMembers {
  readonly #options: RoomMembersOptions;
  readonly #rooms: RoomStore;
  readonly #store: MemberStore;
  readonly #listeners = new Set<Listener>();
  /** Digests of bundles that have brought all they can: they come again with every stream, as they were. */
  readonly #taken = new Set<string>();

  constructor(options: RoomMembersOptions) {
    this.#options = options;
    this.#rooms = new RoomStore(options.database);
    this.#store = new MemberStore(options.database);
  }

  /** Of this site's own document, which is in every room's bundles. */
  get documentVersion(): number {
    return this.#options.identity.documentVersion;
  }

  /** All that another member needs of each, members first, then who was removed: what those said before stays. */
  async bundles(room: string): Promise<MemberBundle[]> {
    const { genesis } = await this.#known(room);
    const [records, epochs] = await Promise.all([this.#store.all(room), this.#store.epochs(room)]);
    const known = new Map(records.map((record) => [record.site, record]));
    const present = await this.sites(room);
    const gone = records.filter(({ isMember }) => !isMember).map(({ site }) => site);
    const bundles = [...present, ...gone.filter((site) => site !== genesis.creator)].map(async (site) => {
      const document = await this.#document(site);
      const membership = known.get(site)?.envelope;
      if (document === undefined) return undefined;
      return {
        document,
        epochs: (epochs.get(site) ?? []).slice(-federationLimits.membersMax).map(({ record }) => record),
        membership: membership === undefined ? [] : [membership],
      };
    });
    const found = (await Promise.all(bundles)).filter((bundle) => bundle !== undefined);
    return found.slice(0, federationLimits.membersMax);
  }

  /**
   * Takes what others say of a room's members: who is one, their documents, their feeds. What doesn't prove itself is left
   * out. @returns the sites that weren't members before @throws AppError `not_found` for a room this site has no part in
   */
  async take(room: string, bundles: readonly unknown[]): Promise<{ added: string[] }> {
    const known = await this.#known(room);
    const fresh = bundles
      .slice(0, federationLimits.membersMax)
      .filter((bundle) => !this.#taken.has(digest(room, bundle)));
    const proven = fresh.flatMap((bundle) => proveBundle(bundle) ?? []);
    const given = new Map(proven.map(({ site, rootKey }) => [site, rootKey]));
    const before = new Set(await this.sites(room));
    let hasChanged = false;
    for (const one of proven) {
      // oxlint-disable-next-line no-await-in-loop -- a few, and seldom
      const taken = await this.#takeOne(known, one, (site) => this.#rootKeyOf(site, given));
      if (taken === 'changed') hasChanged = true;
      // Of a site that is no member yet the same bundle may come again, and then with an admin who is known.
      if (taken !== 'unknown') this.#remember(digest(room, one.bundle));
    }
    if (hasChanged) this.#tell(room);
    return { added: hasChanged ? (await this.sites(room)).filter((site) => !before.has(site)) : [] };
  }

  /** Lets a site in. @throws AppError `forbidden` unless this site is an admin, `conflict` when the room is full */
  async admit(room: string, site: string): Promise<void> {
    await this.#decide(room, site, (state) => {
      if (state.isMember) return undefined;
      if (state.count >= federationLimits.membersMax) throw new AppError('conflict', { detail: 'the room is full' });
      return 'added';
    });
  }

  /** Puts a site out: of its feed what this site has stays, and nothing behind it is taken by anybody. */
  async remove(room: string, site: string): Promise<void> {
    await this.#decide(room, site, ({ isMember }) => (isMember ? 'removed' : undefined));
  }

  /** The members now, the creator first. */
  async sites(room: string): Promise<string[]> {
    const { genesis } = await this.#known(room);
    const records = await this.#store.all(room);
    return membersOf(genesis, records);
  }

  async isMember(room: string, site: string): Promise<boolean> {
    return (await this.sites(room)).includes(site);
  }

  /** Whether an admin has put this site out; who was never in was not. */
  async wasRemoved(room: string, site: string): Promise<boolean> {
    return (await this.#store.find(room, site))?.isMember === false;
  }

  /** Who takes part, or whose feeds are known, has changed by this process. */
  onChanged(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #takeOne({ room, genesis }: KnownRoom, one: ProvenBundle, rootKeyOf: RootKeyOf): Promise<Taken> {
    const { site, bundle } = one;
    const proof = { room: room.id, admins: genesis.admins, rootKeyOf };
    const records = await Promise.all(bundle.membership.map((envelope) => provenMembership(envelope, proof)));
    const about = records.filter((record) => record?.content.member === site) as MembershipRecord[];
    const best = about.reduce<MembershipRecord | undefined>(
      (left, right) => (left !== undefined && holds(left.content, right.content) === left.content ? left : right),
      undefined,
    );
    const isKept = best !== undefined && (await this.#keep(room.id, genesis, best));
    const standing = await this.#store.find(room.id, site);
    if (standing === undefined && site !== genesis.creator) return 'unknown';
    // What this site is, and its own feed, nobody tells it; that it was let in or removed, an admin does.
    if (site === this.#options.identity.siteId) return isKept ? 'changed' : 'same';
    await this.#options.documents.take(Buffer.from(JSON.stringify(bundle.document)), site);
    const hasOpened = await this.#openFeeds(room.id, one, standing);
    if (standing?.isMember !== false) await this.#becomePeer(room, one);
    return isKept || hasOpened ? 'changed' : 'same';
  }

  /** Of a room that is full nobody learns more members, whatever an admin signs. */
  async #keep(room: string, genesis: RoomGenesis, record: MembershipRecord): Promise<boolean> {
    const members = membersOf(genesis, await this.#store.all(room));
    const { member, action } = record.content;
    const isFull = members.length >= federationLimits.membersMax && !members.includes(member);
    return !(isFull && action === 'added') && this.#store.put(record);
  }

  async #openFeeds(room: string, { site, rootKey, bundle }: ProvenBundle, standing?: StoredMember): Promise<boolean> {
    const known = (await this.#store.epochs(room)).get(site) ?? [];
    let hasOpened = false;
    for (const envelope of bundle.epochs) {
      if (known.some(({ record }) => record.payload === envelope.payload)) continue;
      // Who was removed opens no further feed.
      if (standing?.isMember === false && known.some(({ epoch }) => epoch === standing.upToEpoch)) break;
      // oxlint-disable-next-line no-await-in-loop -- the oldest first
      if (await this.#openFeed(room, envelope, rootKey)) hasOpened = true;
    }
    return hasOpened;
  }

  async #openFeed(room: string, envelope: Envelope, rootKey: VerifyingKey): Promise<boolean> {
    try {
      await this.#options.epochs.admit(room, envelope, rootKey);
      return true;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      this.#options.logger.warn({ event: 'member.epoch_refused', room, err: error });
      return false;
    }
  }

  /** A member that was learnt from others is dialled like one that was invited here, and may do what the room gives. */
  async #becomePeer({ id, subjects }: Room, { site, name }: ProvenBundle): Promise<void> {
    const { peers } = this.#options;
    await peers.learn(site, name);
    await peers.grantIfNone(site, { room: id, scopes: ['read', 'write', 'relay'], subjects: [...subjects] });
  }

  async #decide(room: string, site: string, decision: Decision): Promise<void> {
    const { genesis } = await this.#known(room);
    const { identity, database } = this.#options;
    if (!genesis.admins.includes(identity.siteId)) {
      throw new AppError('forbidden', { detail: 'only an admin of the room decides who takes part' });
    }
    const hasChanged = await database.transaction(async (transaction) => {
      const store = new MemberStore(transaction);
      await store.lock(room);
      const records = await store.all(room);
      const members = membersOf(genesis, records);
      const action = decision({ isMember: members.includes(site), count: members.length });
      if (action === undefined) return false;
      const upTo = action === 'removed' ? await store.position(room, site) : undefined;
      const ordinal = (records.find((record) => record.site === site)?.ordinal ?? 0) + 1;
      const at = new Date().toISOString();
      const content = { v: 1 as const, room, member: site, by: identity.siteId, action, ordinal, at };
      return store.put(signMembership(identity, upTo === undefined ? content : { ...content, upTo }));
    });
    if (hasChanged) this.#tell(room);
  }

  async #known(id: string): Promise<KnownRoom> {
    const room = await this.#rooms.find(id);
    if (room === undefined) throw new AppError('not_found', { detail: 'no such room' });
    return { room, genesis: genesisIn(room) };
  }

  async #document(site: string): Promise<Envelope | undefined> {
    const { identity, sites } = this.#options;
    return site === identity.siteId ? identity.document : sites.envelope(site);
  }

  async #rootKeyOf(site: string, given: ReadonlyMap<string, VerifyingKey>): Promise<VerifyingKey | undefined> {
    const { identity, sites } = this.#options;
    if (site === identity.siteId) return identity.keys.root.key;
    if (given.has(site)) return given.get(site);
    const root = (await sites.keys(site)).find(({ use }) => use === 'root');
    return root === undefined ? undefined : importVerifyingKey(root.public);
  }

  #remember(taken: string): void {
    this.#taken.add(taken);
    if (this.#taken.size > takenMax) this.#taken.delete(this.#taken.values().next().value ?? '');
  }

  #tell(room: string): void {
    for (const listener of this.#listeners) {
      try {
        listener(room);
      } catch (error) {
        this.#options.logger.error({ event: 'member.listener_failed', room, err: error });
      }
    }
  }
}

type Taken = 'changed' | 'same' | 'unknown';
type Decision = (state: { isMember: boolean; count: number }) => 'added' | 'removed' | undefined;

function membersOf({ creator }: RoomGenesis, records: readonly StoredMember[]): string[] {
  const added = records.filter(({ isMember, site }) => isMember && site !== creator).map(({ site }) => site);
  return records.some(({ isMember, site }) => !isMember && site === creator) ? added : [creator, ...added];
}

function digest(room: string, bundle: unknown): string {
  return createHash('sha256').update(room).update(JSON.stringify(bundle)).digest('base64');
}
