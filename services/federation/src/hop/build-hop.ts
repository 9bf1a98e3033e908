import type { Database } from '@boardwire/database';
import { dialerOptions, type DialingConfig } from '../dialing/dialing-config.ts';
import { Dialer } from '../dialing/dialer.ts';
import type { SiteIdentity } from '../identity/site-identity.ts';
import { ForeignSiteStore } from '../site-documents/foreign-site-store.ts';
import { SiteDocuments } from '../site-documents/site-documents.ts';
import { StoredSiteKeyring } from '../site-documents/site-keyring.ts';
import { HopClient } from './hop-client.ts';
import { HopSigner } from './hop-signer.ts';
import { HopVerifier } from './hop-verifier.ts';
import { NonceStore } from './nonce-store.ts';

export interface HopParts {
  dialer: Dialer;
  documents: SiteDocuments;
  sites: ForeignSiteStore;
  keyring: StoredSiteKeyring;
  nonces: NonceStore;
  signer: HopSigner;
  verifier: HopVerifier;
  client: HopClient;
}

/** How this site speaks with another one, and knows that it is that one. */
export function buildHop(
  database: Database,
  { siteId, keys }: Pick<SiteIdentity, 'siteId' | 'keys'>,
  config: DialingConfig,
): HopParts {
  const dialer = new Dialer(dialerOptions(config));
  const store = new ForeignSiteStore(database);
  const keyring = new StoredSiteKeyring(store);
  const nonces = new NonceStore(database);
  const signer = new HopSigner({ site: siteId, keyId: keys.hop.keyId, key: keys.hop.key });
  const verifier = new HopVerifier({ site: siteId, keys: keyring, nonces });
  const client = new HopClient({ dialer, signer, verifier });
  return {
    dialer,
    documents: new SiteDocuments({ dialer, store, keyring }),
    sites: store,
    keyring,
    nonces,
    signer,
    verifier,
    client,
  };
}
