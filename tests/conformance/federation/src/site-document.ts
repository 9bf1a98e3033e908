import { createHash } from 'node:crypto';
import { signedSiteDocumentSchema, siteDocumentSchema, type SiteDocument } from '@boardwire/contracts';
import {
  canonicalBytes,
  encodeBase32,
  importVerifyingKey,
  verifyEnvelope,
  type VerifyingKey,
} from '@boardwire/signing';
import { Broken, expectThat } from './rule.ts';

const type = 'application/vnd.boardwire.site+json';

/** Who a site says that it is, proven by its own root key. @throws Broken */
export function readSiteDocument(envelope: unknown): SiteDocument {
  const signed = signedSiteDocumentSchema.safeParse(envelope);
  if (!signed.success) throw new Broken(`no signed site document: ${signed.error.issues[0]!.message}`);
  const payload = Buffer.from(signed.data.payload, 'base64url');
  const document = siteDocumentSchema.parse(JSON.parse(payload.toString()));
  expectThat(canonicalBytes(JSON.parse(payload.toString())).equals(payload), 'the site document is not canonical JSON');
  const root = publicKeyOf(document, 'root');
  expectThat(document.site === siteIdOf(root), 'the site id is not that of the root key');
  expectThat(
    verifyEnvelope(signed.data, type, importVerifyingKey(root)) !== undefined,
    'the root key has not signed the site document',
  );
  for (const { kid, use, public: key } of document.keys) {
    expectThat(kid === keyIdOf(use, Buffer.from(key, 'base64url')), `the id of the key ${kid} is not its own`);
  }
  return document;
}

/** The keys of one use that the document names, by id. */
export function keysOf({ keys }: SiteDocument, wanted: string): Map<string, VerifyingKey> {
  const found = keys.filter(({ use }) => use === wanted);
  return new Map(found.map(({ kid, public: key }) => [kid, importVerifyingKey(Buffer.from(key, 'base64url'))]));
}

export function siteIdOf(root: Uint8Array): string {
  return `bs1${encodeBase32(createHash('sha256').update('boardwire-site/1\n').update(root).digest())}`;
}

export function keyIdOf(use: string, key: Uint8Array): string {
  return `bk1${encodeBase32(createHash('sha256').update(`boardwire-key/1\n${use}\n`).update(key).digest().subarray(0, 10))}`;
}

function publicKeyOf({ keys }: SiteDocument, use: string): Buffer {
  const found = keys.filter((key) => key.use === use);
  expectThat(found.length === 1, `the site document names ${found.length} ${use} keys`);
  return Buffer.from(found[0]!.public, 'base64url');
}
