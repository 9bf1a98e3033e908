import { witnessNameOf } from '@boardwire/contracts';
import { cosignatureLine, cosigner, type Cosigner } from '@boardwire/signing';
import type { SiteIdentity } from '../identity/site-identity.ts';

/** This site as a witness: its key stands in the site document, and so anybody can check what it cosigns. */
export function ownWitness({ siteId, keys }: Pick<SiteIdentity, 'siteId' | 'keys'>): Cosigner {
  return cosigner(witnessNameOf(siteId), keys.checkpoint.key);
}

/** Its word that it has seen this tree, and none larger of that log, now. */
export function cosign(note: string, witness: Cosigner): string {
  return cosignatureLine(note, witness, Math.floor(Date.now() / 1_000));
}
