import { createHash, randomBytes } from 'node:crypto';
import {
  feedEpochType,
  feedHeaderType,
  noPrevious,
  type FeedEpochRecord,
  type FeedHeader,
  type MemberBundle,
  type WireItem,
} from '@boardwire/contracts';
import {
  canonicalBytes,
  generateSigningKey,
  preAuthenticationEncoding,
  signEnvelope,
  type Envelope,
  type SigningKey,
} from '@boardwire/signing';
import { keyIdOf, siteIdOf } from '../site-document.ts';

export function sha256(...parts: Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

export interface Written {
  wire: WireItem;
  header: FeedHeader;
  hash: string;
}

export interface ForeignSiteOptions {
  name?: string;
  /** Where it says that it can be dialled. */
  endpoints?: readonly string[];
  keys?: Partial<Record<KeyUse, SigningKey>>;
}

export type KeyUse = 'root' | 'hop' | 'event' | 'checkpoint';
export const keyUses: readonly KeyUse[] = ['root', 'hop', 'event', 'checkpoint'];
const issued = '2026-01-01T00:00:00Z';

/** A whole other site, which says and signs whatever it is told to. */
export class ForeignSite {
  readonly name: string;
  readonly root: SigningKey;
  readonly hop: SigningKey;
  readonly event: SigningKey;
  readonly checkpoint: SigningKey;
  readonly id: string;
  /** Of the event key. */
  readonly kid: string;
  readonly epoch = 'e1';
  readonly endpoints: readonly string[];

  constructor(
    readonly room: string,
    { name = 'Peer', endpoints = [], keys = {} }: ForeignSiteOptions = {},
  ) {
    const { root, hop, event, checkpoint } = keys;
    this.name = name;
    this.endpoints = endpoints;
    this.root = root ?? generateSigningKey();
    this.hop = hop ?? generateSigningKey();
    this.event = event ?? generateSigningKey();
    this.checkpoint = checkpoint ?? generateSigningKey();
    this.id = siteIdOf(this.root.publicKey);
    this.kid = this.keyId('event');
  }

  keyId(use: KeyUse): string {
    return keyIdOf(use, this[use].publicKey);
  }

  /** The same site with a part in another room. */
  inRoom(room: string): this {
    return Object.assign(Object.create(this) as this, { room });
  }

  document(ver = 1): Envelope {
    const keys = keyUses.map((use) => ({
      kid: this.keyId(use),
      use,
      alg: 'ed25519',
      public: this[use].publicKey.toString('base64url'),
    }));
    const { id: site, name, endpoints } = this;
    const content = { ver, site, name, protocols: ['boardwire-site/1', 'boardwire-fed/1'], endpoints, keys, issued };
    const signers = [{ keyid: this.keyId('root'), key: this.root }];
    return signEnvelope('application/vnd.boardwire.site+json', canonicalBytes(content), signers);
  }

  record(more: Partial<FeedEpochRecord> = {}, key: SigningKey = this.root): Envelope {
    const record = { v: 1, room: this.room, site: this.id, epoch: this.epoch, ordinal: 0, at: issued, ...more };
    return signEnvelope(feedEpochType, canonicalBytes(record), [{ keyid: 'root', key }]);
  }

  bundle(membership: readonly Envelope[] = [], epochs: readonly Envelope[] = [this.record()]): MemberBundle {
    return { document: this.document(), epochs: [...epochs], membership: [...membership] };
  }

  /** The next item behind `before`; what the header says can be anything. */
  write(before: Written | undefined, text: string, more: Partial<FeedHeader> = {}): Written {
    const data = Buffer.from(JSON.stringify({ text }));
    const salt = randomBytes(16);
    const header: FeedHeader = {
      v: 1,
      room: this.room,
      site: this.id,
      epoch: this.epoch,
      oseq: (before?.header.oseq ?? 0) + 1,
      prev: before?.hash ?? noPrevious,
      subject: 'room.a.chat',
      type: 'chat.post',
      time: issued,
      id: text,
      source: '/users/1',
      author: '1',
      authorname: 'Ann',
      datacontenttype: 'application/json',
      datahash: sha256(salt, data),
      dsize: data.length,
      dform: 'json',
      kid: this.kid,
      ...more,
    };
    return this.sign(canonicalBytes(header), { header, salt, data });
  }

  /** Any bytes as a header. */
  sign(
    bytes: Buffer,
    { header, salt, data }: { header: FeedHeader; salt: Buffer; data: Buffer },
    key: SigningKey = this.event,
  ): Written {
    const sig = key.sign(preAuthenticationEncoding(feedHeaderType, bytes)).toString('base64url');
    const wire: WireItem = {
      h: bytes.toString('base64url'),
      sigs: [{ kid: header.kid, sig }],
      salt: salt.toString('base64url'),
      data: data.toString('base64url'),
      via: [this.id],
    };
    return { wire, header, hash: sha256(bytes) };
  }

  feed(count: number, prefix = this.id.slice(3, 7)): Written[] {
    const items: Written[] = [];
    for (let n = 1; n <= count; n += 1) items.push(this.write(items.at(-1), `${prefix}-${n}`));
    return items;
  }
}
