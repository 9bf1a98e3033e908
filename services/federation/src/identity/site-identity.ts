import { keyUses, type SignedSiteDocument } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import { canonicalJson, generateSigningKey, importVerifyingKey, type VerifyingKey } from '@boardwire/signing';
import { IdentityStore, type StoredDocument } from './identity-store.ts';
import type { KeyVault } from './key-vault.ts';
import {
  documentContent,
  documentKeys,
  signDocument,
  type SiteDescription,
  type SiteDocumentContent,
} from './site-document.ts';
import { keyIdOf, siteIdOf } from './site-id.ts';
import type { KeyUse, NamedKey, SiteKey, SiteKeys } from './site-keys.ts';

/** Who this site is. Held in memory: what peers ask for does not need the database. */
export interface SiteIdentity {
  readonly siteId: string;
  /** In force: what is signed now is signed with these. */
  readonly keys: SiteKeys;
  /** By id, all that this site's events were signed with, are, and will be next. */
  readonly eventKeys: ReadonlyMap<string, VerifyingKey>;
  readonly document: SignedSiteDocument;
  readonly documentVersion: number;
}

/**
 * The site's identity: made at the first start, the same at every later one. The site document gets a new version
 * whenever what it says has changed, and keeps its version, date and signature otherwise.
 * @param description without it the document goes on saying what it said, but for the keys
 */
export function loadSiteIdentity(
  database: Database,
  vault: KeyVault,
  description?: SiteDescription,
): Promise<SiteIdentity> {
  return database.transaction(async (transaction) => {
    const store = new IdentityStore(transaction, vault);
    await store.lock();
    return settledIdentity(store, { description });
  });
}

export interface Settling {
  description?: SiteDescription | undefined;
  /** A new version of the document gets this number at least. */
  versionMin?: number;
}

/** Lets keys whose time has come take their places, and the document say so. The caller holds the store's lock. */
export async function settledIdentity(
  store: IdentityStore,
  { description, versionMin = 1 }: Settling = {},
): Promise<SiteIdentity> {
  await store.settleKeys();
  const keys = await completeKeys(store);
  const named = await store.namedKeys();
  const latest = await store.latestDocument();
  const content = contentOf(named, latest, description);
  const { ver, envelope } = await currentDocument(store, keys, { latest, content, versionMin });
  return {
    siteId: siteIdOf(keys.root.key.publicKey),
    keys,
    eventKeys: eventKeysIn(named),
    document: envelope,
    documentVersion: ver,
  };
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

export function newKey(use: KeyUse): SiteKey {
  const key = generateSigningKey();
  return { keyId: keyIdOf(use, key.publicKey), use, key };
}

function eventKeysIn(named: readonly NamedKey[]): ReadonlyMap<string, VerifyingKey> {
  const keys = named.filter(({ use }) => use === 'event');
  return new Map(keys.map(({ keyId, publicKey }) => [keyId, importVerifyingKey(publicKey)]));
}

function contentOf(
  named: readonly NamedKey[],
  latest: StoredDocument | undefined,
  description: SiteDescription | undefined,
): SiteDocumentContent {
  if (description !== undefined) return documentContent(named, description);
  if (latest === undefined) throw new Error('the site has no document yet: federation makes it when it starts');
  return { ...(JSON.parse(latest.content) as SiteDocumentContent), keys: documentKeys(named) };
}

interface Versions {
  latest: StoredDocument | undefined;
  content: SiteDocumentContent;
  versionMin: number;
}

async function currentDocument(store: IdentityStore, keys: SiteKeys, { latest, content, versionMin }: Versions) {
  const text = canonicalJson(content);
  if (latest?.content === text) return latest;
  const ver = Math.max((latest?.ver ?? 0) + 1, versionMin);
  const envelope = signDocument({ ...content, ver, issued: new Date().toISOString() }, keys);
  const document = { ver, content: text, envelope };
  await store.addDocument(document);
  return document;
}
