import { randomBytes } from 'node:crypto';
import { redactedType, redactionSource, type FeedHeader } from '@boardwire/contracts';
import { canonicalBytes, type VerifyingKey } from '@boardwire/signing';
import { ForeignSite, sha256, type Written } from '../../../tests/conformance/federation/src/sites/foreign-site.ts';
import type { SiteKeyring } from '../src/ingest/site-keyring.ts';

export { sha256, type Written } from '../../../tests/conformance/federation/src/sites/foreign-site.ts';

/** The conformance kit's site: it signs by its own reading of the formats, and whatever a test wants it to. */
export class RemoteSite extends ForeignSite {
  /** The redaction of an event, as this site would tell it; its data can name anything. */
  redact(
    before: Written | undefined,
    of: Pick<Written, 'header'>,
    told?: object,
    more: Partial<FeedHeader> = {},
  ): Written {
    const redacts = { origin: of.header.site, source: of.header.source, id: of.header.id };
    const data = Buffer.from(JSON.stringify(told ?? redacts));
    const salt = randomBytes(16);
    const id = `redaction-${(before?.header.oseq ?? 0) + 1}`;
    const hashed = { datahash: sha256(salt, data), dsize: data.length };
    const marks = { type: redactedType, source: redactionSource, redacts };
    const { header } = this.write(before, id, { ...marks, ...hashed, ...more });
    return this.sign(canonicalBytes(header), { header, salt, data });
  }
}

/** The event keys of these sites, as their documents would tell them. */
export function keyringOf(...sites: readonly RemoteSite[]): SiteKeyring {
  const keys = new Map<string, VerifyingKey>(sites.map(({ id, kid, event }) => [`${id} ${kid}`, event]));
  return { eventKey: (site, kid) => Promise.resolve(keys.get(`${site} ${kid}`)) };
}
