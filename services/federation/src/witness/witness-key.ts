import { witnessNameOf } from '@boardwire/contracts';
import { cosignatureVerifier, formatCosignatureVerifier, importVerifyingKey } from '@boardwire/signing';

/** The verifier key of a site as a witness, by the key of use `checkpoint` in its document. */
export function witnessKeyOf(site: string, publicKey: Uint8Array): string {
  return formatCosignatureVerifier(cosignatureVerifier(witnessNameOf(site), importVerifyingKey(publicKey)));
}
