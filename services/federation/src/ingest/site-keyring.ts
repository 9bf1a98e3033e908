import type { VerifyingKey } from '@boardwire/signing';

/** The event keys of other sites, by their verified site documents. */
export interface SiteKeyring {
  eventKey(site: string, kid: string): Promise<VerifyingKey | undefined>;
}
