import { signedSiteDocumentSchema, type SignedSiteDocument } from '@boardwire/contracts';
import { openDatabase, provisionSchemas, type Database } from '@boardwire/database';
import { canonicalBytes, generateSigningKey, signEnvelope } from '@boardwire/signing';
import { createLogger, Metrics } from '@boardwire/service-kit';
import { startTestPostgres } from '@boardwire/test-kit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { KeyAges } from '../src/identity/key-ages.ts';
import { KeyVault } from '../src/identity/key-vault.ts';
import { siteDocumentType } from '../src/identity/site-document.ts';
import { keyIdOf, siteIdOf } from '../src/identity/site-id.ts';
import { loadSiteIdentity } from '../src/identity/site-identity.ts';
import { verifySiteDocument } from '../src/identity/verify-site-document.ts';
import { FederationMetrics } from '../src/metrics.ts';
import { migrations } from '../src/migrations.ts';

const secret = 's'.repeat(32);
const vault = new KeyVault([secret]);
const description = { name: 'Test', endpoints: ['https://a.example'] };
const logger = createLogger({ service: 'test', level: 'silent' });

let postgres: Awaited<ReturnType<typeof startTestPostgres>>;
let database: Database;
let other: Database;

beforeAll(async () => {
  postgres = await startTestPostgres();
  const schemas = [{ schema: 'federation', role: 'boardwire_federation', password: 'p' }];
  const urls = await provisionSchemas(postgres.postgres.url, schemas);
  const open = () => openDatabase({ url: urls['federation']!, schema: 'federation', migrations, logger });
  [database, other] = await Promise.all([open(), open()]);
});
afterAll(async () => {
  await Promise.all([database.close(), other.close()]);
  await postgres.stop();
});
beforeEach(async () => {
  await database.query('TRUNCATE site_key, site_document');
});

/** Worked out by sha256sum and base32: prefix, digest, alphabet, no padding. */
test('the site id is the hash of the root public key', () => {
  expect(siteIdOf(Buffer.alloc(32))).toMatch(/^bs1[a-z2-7]{52}$/);
  expect(siteIdOf(Buffer.alloc(32))).toBe('bs13zmm5imbzeef64noxgskmbopib3zubrs7d7hjwtmud5lp5j3wvya');
});

describe('the identity', () => {
  test('is made at the first start and the same at every later one', async () => {
    const first = await loadSiteIdentity(database, vault, description);
    const second = await loadSiteIdentity(database, vault, description);
    expect(second.siteId).toBe(first.siteId);
    expect(second.document).toEqual(first.document);
    expect(Object.values(first.keys).map(({ use }) => use)).toEqual(['root', 'hop', 'event', 'checkpoint']);
    expect(second.keys.event.key.publicKey).toEqual(first.keys.event.key.publicKey);
  });

  test('is one, also when many replicas start for the first time at once', async () => {
    const starts = Array.from({ length: 8 }, (_, n) =>
      loadSiteIdentity(n % 2 === 0 ? database : other, vault, description),
    );
    const identities = await Promise.all(starts);
    expect(new Set(identities.map(({ siteId }) => siteId)).size).toBe(1);
    expect(new Set(identities.map(({ documentVersion }) => documentVersion))).toEqual(new Set([1]));
  });

  test('does not lie open in the database', async () => {
    const { keys } = await loadSiteIdentity(database, vault, description);
    const rows = await database.query<{ row: string }>(`SELECT row_to_json(site_key)::text AS row FROM site_key`);
    const stored = rows.map(({ row }) => row).join();
    for (const { key } of Object.values(keys)) {
      expect(stored).not.toContain(key.exportSeed().toString('hex'));
      expect(stored).toContain(key.publicKey.toString('hex'));
    }
  });

  test('cannot be read with another secret, and is sealed anew when the former one is known', async () => {
    const { siteId } = await loadSiteIdentity(database, vault, description);
    const changed = 'c'.repeat(32);
    await expect(loadSiteIdentity(database, new KeyVault([changed]), description)).rejects.toThrow('KEY_SECRET_FORMER');
    const both = new KeyVault([changed, secret]);
    expect((await loadSiteIdentity(database, both, description)).siteId).toBe(siteId);
    expect((await loadSiteIdentity(database, new KeyVault([changed]), description)).siteId).toBe(siteId);
  });
});

test('a sealed key opens in no other row', () => {
  const sealed = vault.seal('bk1a', Buffer.alloc(32, 7));
  expect(vault.open('bk1a', sealed).plain).toEqual(Buffer.alloc(32, 7));
  expect(() => vault.open('bk1b', sealed)).toThrow();
  sealed[sealed.length - 1]! ^= 1;
  expect(() => vault.open('bk1a', sealed)).toThrow();
});

describe('the site document', () => {
  const payloadOf = ({ payload }: SignedSiteDocument) =>
    JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;

  test('proves itself with nothing but its own bytes', async () => {
    const { document, siteId } = await loadSiteIdentity(database, vault, description);
    const verified = verifySiteDocument(signedSiteDocumentSchema.parse(JSON.parse(JSON.stringify(document))));
    expect(verified).toMatchObject({ site: siteId, ver: 1, name: 'Test', endpoints: ['https://a.example'] });
    expect(verified?.keys.map(({ use }) => use)).toEqual(['root', 'hop', 'event', 'checkpoint']);
  });

  test('has a higher version when what it says has changed, and only then', async () => {
    const versions: number[] = [];
    for (const endpoints of [
      ['https://a.example'],
      ['https://a.example'],
      ['https://b.example'],
      ['https://a.example'],
    ]) {
      const { document } = await loadSiteIdentity(database, vault, { name: 'Test', endpoints });
      versions.push(verifySiteDocument(document)!.ver);
    }
    expect(versions).toEqual([1, 1, 2, 3]);
  });

  test('is refused when a byte of it changed', async () => {
    const { document } = await loadSiteIdentity(database, vault, description);
    const forged = { ...payloadOf(document), name: 'Evil' };
    const payload = canonicalBytes(forged).toString('base64url');
    expect(verifySiteDocument({ ...document, payload })).toBeUndefined();
    expect(verifySiteDocument({ ...document, signatures: [{ keyid: 'x', sig: 'AAAA' }] })).toBeUndefined();
    expect(verifySiteDocument({ ...document, payload: 'e30' })).toBeUndefined();
  });

  const sign = (document: Record<string, unknown>, key: Parameters<typeof signEnvelope>[2][number]['key']) =>
    signEnvelope(siteDocumentType, canonicalBytes(document), [{ keyid: 'k', key }]) as SignedSiteDocument;

  test('is refused when another key signed it, in the name of this site', async () => {
    const { document } = await loadSiteIdentity(database, vault, description);
    const thief = generateSigningKey();
    expect(verifySiteDocument(sign(payloadOf(document), thief))).toBeUndefined();
    const own = {
      kid: keyIdOf('root', thief.publicKey),
      use: 'root',
      alg: 'ed25519',
      public: thief.publicKey.toString('base64url'),
    };
    expect(verifySiteDocument(sign({ ...payloadOf(document), keys: [own] }, thief))).toBeUndefined();
  });

  test('is refused when a key carries the id of another, or the bytes are not canonical', async () => {
    const { document, keys } = await loadSiteIdentity(database, vault, description);
    const content = payloadOf(document);
    const swapped = (content['keys'] as { kid: string; use: string }[]).map((key) => ({ ...key, kid: keys.hop.keyId }));
    expect(verifySiteDocument(sign({ ...content, keys: swapped }, keys.root.key))).toBeUndefined();
    const spaced = Buffer.from(JSON.stringify(content, null, 1));
    const envelope = signEnvelope(siteDocumentType, spaced, [{ keyid: 'k', key: keys.root.key }]);
    expect(verifySiteDocument(envelope as SignedSiteDocument)).toBeUndefined();
  });
});

test('the keys in force tell their age, also one that another replica has replaced', async () => {
  const metrics = new Metrics();
  const ages = new KeyAges(database, new FederationMetrics(metrics));
  const told = async () => {
    await ages.look();
    const text = await metrics.registry.metrics();
    return Object.fromEntries(
      Array.from(text.matchAll(/^boardwire_fed_key_age_seconds\{use="(\w+)"\} (\S+)$/gm), ([, use, age]) => [
        use!,
        Math.floor(Number(age) / 86_400),
      ]),
    );
  };
  await loadSiteIdentity(database, vault, description);
  await database.query(`UPDATE site_key SET created_at = now() - interval '400 days' WHERE use IN ('hop', 'event')`);
  expect(await told()).toEqual({ root: 0, hop: 400, event: 400, checkpoint: 0 });
  await other.query(`UPDATE site_key SET retired_at = now() WHERE use = 'hop'`);
  await loadSiteIdentity(other, vault, description);
  // Written last, so that the table has it behind the key in force.
  await other.query('UPDATE site_key SET created_at = created_at WHERE retired_at IS NOT NULL');
  expect(await told()).toEqual({ root: 0, hop: 0, event: 400, checkpoint: 0 });
});
