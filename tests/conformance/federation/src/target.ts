import type { SiteDocument } from '@boardwire/contracts';
import type { VerifyingKey } from '@boardwire/signing';
import { Broken } from './rule.ts';
import { keysOf, readSiteDocument } from './site-document.ts';
import { exchange } from './wire/exchange.ts';

/** The site under test. */
export interface Target {
  /** Where its `/fed/v1` stands, without a slash at the end. */
  url: string;
  site: string;
  document: SiteDocument;
  hopKeys: ReadonlyMap<string, VerifyingKey>;
  eventKeys: ReadonlyMap<string, VerifyingKey>;
}

/** @throws Broken when nobody there proves who it is */
export async function findTarget(address: string): Promise<Target> {
  const url = address.replace(/\/+$/, '');
  const { status, body } = await exchange(url, {
    method: 'GET',
    path: '/.well-known/boardwire',
    headers: { accept: 'application/json' },
  });
  if (status !== 200) throw new Broken(`/.well-known/boardwire answers ${status}`);
  const document = readSiteDocument(JSON.parse(body.toString()));
  return { url, site: document.site, document, hopKeys: keysOf(document, 'hop'), eventKeys: keysOf(document, 'event') };
}
