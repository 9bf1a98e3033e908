import {
  memberBundleSchema,
  signedSiteDocumentSchema,
  type MemberBundle,
  type SiteDocument,
} from '@boardwire/contracts';
import { importVerifyingKey, type VerifyingKey } from '@boardwire/signing';
import { verifySiteDocument } from '../identity/verify-site-document.ts';

/** A bundle whose document proves itself; the rest of it is still to be looked at. */
export interface ProvenBundle {
  site: string;
  name: string;
  rootKey: VerifyingKey;
  /** That it names, by id. */
  eventKeys: ReadonlyMap<string, VerifyingKey>;
  bundle: MemberBundle;
}

export function proveBundle(value: unknown): ProvenBundle | undefined {
  const bundle = memberBundleSchema.safeParse(value).data;
  const envelope = signedSiteDocumentSchema.safeParse(bundle?.document).data;
  const document = envelope && verifySiteDocument(envelope);
  if (bundle === undefined || document === undefined) return undefined;
  return {
    site: document.site,
    name: document.name,
    rootKey: rootKeyOf(document),
    eventKeys: eventKeysOf(document),
    bundle,
  };
}

/** Of a document that was verified, and so has exactly one. */
export function rootKeyOf({ keys }: SiteDocument): VerifyingKey {
  return importVerifyingKey(Buffer.from(keys.find(({ use }) => use === 'root')!.public, 'base64url'));
}

function eventKeysOf({ keys }: SiteDocument): ReadonlyMap<string, VerifyingKey> {
  const named = keys.filter(({ use }) => use === 'event');
  return new Map(named.map((key) => [key.kid, importVerifyingKey(Buffer.from(key.public, 'base64url'))]));
}
