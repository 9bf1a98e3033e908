import {
  memberBundleSchema,
  roomMembershipType,
  signedSiteDocumentSchema,
  type MemberBundle,
  type RoomMembership,
} from '@boardwire/contracts';
import { canonicalBytes, generateSigningKey, signEnvelope, type Envelope } from '@boardwire/signing';
import { HopSigner } from '../../src/hop/hop-signer.ts';
import { documentContent, signDocument } from '../../src/identity/site-document.ts';
import { keyIdOf } from '../../src/identity/site-id.ts';
import type { SiteIdentity } from '../../src/identity/site-identity.ts';
import type { KeyUse, SiteKeys } from '../../src/identity/site-keys.ts';
import { RemoteSite } from '../remote-site.ts';

/** A whole other site: its four keys, its document, its word about members. */
export class PeerSite extends RemoteSite {
  readonly hop = generateSigningKey();
  readonly checkpoint = generateSigningKey();
  readonly keys: SiteKeys;
  readonly signer: HopSigner;

  constructor(
    room: string,
    readonly name = 'Peer',
    readonly endpoints: readonly string[] = [],
  ) {
    super(room);
    const keyOf = (use: KeyUse) => ({ use, key: this[use], keyId: keyIdOf(use, this[use].publicKey) });
    this.keys = { root: keyOf('root'), hop: keyOf('hop'), event: keyOf('event'), checkpoint: keyOf('checkpoint') };
    this.signer = new HopSigner({ site: this.id, keyId: this.keys.hop.keyId, key: this.hop });
  }

  get identity(): SiteIdentity {
    return {
      siteId: this.id,
      keys: this.keys,
      document: signedSiteDocumentSchema.parse(this.document()),
      documentVersion: 1,
    };
  }

  /** The same site with a part in another room. */
  inRoom(room: string): this {
    return Object.assign(Object.create(this) as this, { room });
  }

  document(ver = 1): Envelope {
    const content = documentContent(this.keys, { name: this.name, endpoints: this.endpoints });
    return signDocument({ ...content, ver, issued: '2026-01-01T00:00:00Z' }, this.keys);
  }

  bundle(membership: readonly Envelope[] = [], epochs: readonly Envelope[] = [this.record()]): MemberBundle {
    return memberBundleSchema.parse({ document: this.document(), epochs, membership });
  }

  /** This site's word, as an admin, about another. */
  membership(member: string, more: Partial<RoomMembership> = {}): Envelope {
    const record = {
      v: 1,
      room: this.room,
      member,
      by: this.id,
      action: 'added',
      ordinal: 1,
      at: '2026-01-01T00:00:00Z',
    };
    return signEnvelope(roomMembershipType, canonicalBytes({ ...record, ...more }), [
      { keyid: 'root', key: this.root },
    ]);
  }
}
