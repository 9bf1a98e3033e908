import { roomMembershipType, signedSiteDocumentSchema, type RoomMembership } from '@boardwire/contracts';
import { canonicalBytes, signEnvelope, type Envelope } from '@boardwire/signing';
import { HopSigner } from '../../src/hop/hop-signer.ts';
import type { SiteIdentity } from '../../src/identity/site-identity.ts';
import type { KeyUse, SiteKeys } from '../../src/identity/site-keys.ts';
import { RemoteSite } from '../remote-site.ts';

/** A whole other site: its four keys, its document, its word about members. */
export class PeerSite extends RemoteSite {
  readonly keys: SiteKeys;
  readonly signer: HopSigner;

  constructor(room: string, name = 'Peer', endpoints: readonly string[] = []) {
    super(room, { name, endpoints });
    const keyOf = (use: KeyUse) => ({ use, key: this[use], keyId: this.keyId(use) });
    this.keys = { root: keyOf('root'), hop: keyOf('hop'), event: keyOf('event'), checkpoint: keyOf('checkpoint') };
    this.signer = new HopSigner({ site: this.id, keyId: this.keys.hop.keyId, key: this.hop });
  }

  get identity(): SiteIdentity {
    return {
      siteId: this.id,
      keys: this.keys,
      eventKeys: new Map([[this.keys.event.keyId, this.event]]),
      document: signedSiteDocumentSchema.parse(this.document()),
      documentVersion: 1,
    };
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
