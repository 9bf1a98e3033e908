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
