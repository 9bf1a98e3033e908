import type { keyUses } from '@boardwire/contracts';
import type { SigningKey } from '@boardwire/signing';

export type KeyUse = (typeof keyUses)[number];

/** A key of this site, with its private half. */
export interface SiteKey {
  readonly keyId: string;
  readonly use: KeyUse;
  readonly key: SigningKey;
}

/** The keys in force, one for each use. */
export type SiteKeys = Readonly<Record<KeyUse, SiteKey>>;

/** What the site document says of a key. */
export interface NamedKey {
  readonly keyId: string;
  readonly use: KeyUse;
  /** The raw 32 bytes. */
  readonly publicKey: Buffer;
}

export const namedKey = ({ keyId, use, key }: SiteKey): NamedKey => ({ keyId, use, publicKey: key.publicKey });
