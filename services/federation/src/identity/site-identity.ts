import { keyUses, type SignedSiteDocument } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import { canonicalJson, generateSigningKey } from '@boardwire/signing';
import { IdentityStore } from './identity-store.ts';
import type { KeyVault } from './key-vault.ts';
import { documentContent, signDocument, type SiteDescription } from './site-document.ts';
import { keyIdOf, siteIdOf } from './site-id.ts';
import type { KeyUse, SiteKey, SiteKeys } from './site-keys.ts';

/** Who this site is. Held in memory: what peers ask for does not need the database. */
export interface SiteIdentity {
  readonly siteId: string;
  readonly keys: SiteKeys;
  readonly document: SignedSiteDocument;
  readonly documentVersion: number;
}

/**
 * The site's identity: made at the first start, the same at every later one. The site document gets a new version
 * whenever what it says has changed, and keeps its version, date and signature otherwise.
 */
export function loadSiteIdentity(
  database: Database,
  vault: KeyVault,
  description: SiteDescription,
): Promise<SiteIdentity> {
  return database.transaction(async (transaction) => {
    const store = new IdentityStore(transaction, vault);
    await store.lock();
    const keys = await completeKeys(store);
    const { ver, envelope } = await currentDocument(store, keys, description);
    return { siteId: siteIdOf(keys.root.key.publicKey), keys, document: envelope, documentVersion: ver };
  });
}

async function completeKeys(store: IdentityStore): Promise<SiteKeys> {
  const known = new Map((await store.keys()).map((key) => [key.use, key]));
  if (known.size > 0 && !known.has('root')) throw new Error('the site has signing keys but no root key');
  for (const use of keyUses) {
    if (known.has(use)) continue;
    const key = newKey(use);
    // oxlint-disable-next-line no-await-in-loop -- four rows, once in a site's life
    await store.addKey(key);
    known.set(use, key);
  }
  return Object.fromEntries(keyUses.map((use) => [use, known.get(use)])) as unknown as SiteKeys;
}

function newKey(use: KeyUse): SiteKey {
  const key = generateSigningKey();
  return { keyId: keyIdOf(use, key.publicKey), use, key };
}

async function currentDocument(store: IdentityStore, keys: SiteKeys, description: SiteDescription) {
  const content = documentContent(keys, description);
  const text = canonicalJson(content);
  const latest = await store.latestDocument();
  if (latest?.content === text) return latest;
  const ver = (latest?.ver ?? 0) + 1;
  const envelope = signDocument({ ...content, ver, issued: new Date().toISOString() }, keys);
  const document = { ver, content: text, envelope };
  await store.addDocument(document);
  return document;
}
