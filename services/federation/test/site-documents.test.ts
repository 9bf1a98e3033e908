import { federationLimits, type SignedSiteDocument, type SiteDocument } from '@boardwire/contracts';
import { openDatabase, provisionSchemas, type Database } from '@boardwire/database';
import { createLogger } from '@boardwire/service-kit';
import { canonicalBytes, generateSigningKey, signEnvelope, type SigningKey } from '@boardwire/signing';
import { startTestPostgres } from '@boardwire/test-kit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { Dialer } from '../src/dialing/dialer.ts';
import { documentContent, siteDocumentType } from '../src/identity/site-document.ts';
import { keyIdOf } from '../src/identity/site-id.ts';
import { namedKey, type SiteKeys } from '../src/identity/site-keys.ts';
import { migrations } from '../src/migrations.ts';
import { ForeignSiteStore } from '../src/site-documents/foreign-site-store.ts';
import { SiteDocuments } from '../src/site-documents/site-documents.ts';
import { StoredSiteKeyring } from '../src/site-documents/site-keyring.ts';
import { PeerStandIn } from './support/peer-stand-in.ts';

const logger = createLogger({ service: 'test', level: 'silent' });

let postgres: Awaited<ReturnType<typeof startTestPostgres>>;
let database: Database;
let other: Database;
let peer: PeerStandIn;
let dialer: Dialer;

beforeAll(async () => {
  postgres = await startTestPostgres();
  const schemas = [{ schema: 'federation', role: 'boardwire_federation', password: 'p' }];
  const urls = await provisionSchemas(postgres.postgres.url, schemas);
  const open = () => openDatabase({ url: urls['federation']!, schema: 'federation', migrations, logger });
  [database, other] = await Promise.all([open(), open()]);
  peer = await PeerStandIn.start();
  dialer = new Dialer({ allowedNetworks: ['127.0.0.1'], httpHosts: ['127.0.0.1'] });
});
afterAll(async () => {
  await Promise.all([database.close(), other.close(), dialer.close(), peer.close()]);
  await postgres.stop();
});
beforeEach(async () => {
  await database.query('TRUNCATE foreign_site, foreign_site_key');
});

function newKeys(): SiteKeys {
  const keyOf = (use: 'root' | 'hop' | 'event' | 'checkpoint', key = generateSigningKey()) => ({
    keyId: keyIdOf(use, key.publicKey),
    use,
    key,
  });
  return { root: keyOf('root'), hop: keyOf('hop'), event: keyOf('event'), checkpoint: keyOf('checkpoint') };
}

interface Version {
  ver?: number;
  name?: string;
  signer?: SigningKey;
}

function documentOf(keys: SiteKeys, { ver = 1, name = 'Peer', signer = keys.root.key }: Version = {}) {
  const content = documentContent(Object.values(keys).map(namedKey), { name, endpoints: ['https://peer.example'] });
  const document: SiteDocument = { ...content, ver, issued: '2026-11-21T00:00:00.000Z' };
  const envelope = signEnvelope(siteDocumentType, canonicalBytes(document), [{ keyid: keys.root.keyId, key: signer }]);
  return {
    site: document.site,
    envelope: envelope as SignedSiteDocument,
    bytes: Buffer.from(JSON.stringify(envelope)),
  };
}

function parts(on: Database) {
  const store = new ForeignSiteStore(on);
  let nowMs = 0;
  const keyring = new StoredSiteKeyring(store, () => nowMs);
  const pass = (ms: number) => (nowMs += ms);
  return { store, keyring, pass, documents: new SiteDocuments({ dialer, store, keyring }) };
}

const serve = (bytes: Uint8Array, status = 200, headers = {}) => {
  peer.answer = (_request, response) => response.writeHead(status, headers).end(bytes);
};
const url = () => `http://127.0.0.1:${peer.port}/`;

describe('the document of another site', () => {
  test('is fetched, kept, and gives its keys to those who ask for them by use', async () => {
    const keys = newKeys();
    const { site, bytes, envelope } = documentOf(keys);
    const { documents, store, keyring } = parts(database);
    expect(await keyring.hopKey(site, keys.hop.keyId)).toBeUndefined();
    serve(gzipSync(bytes), 200, { 'content-encoding': 'gzip' });
    expect(await documents.fetch(url(), { site })).toMatchObject({ outcome: 'stored', document: { site, ver: 1 } });
    expect(peer.requests.at(-1)?.url).toBe('/.well-known/boardwire');
    expect(await documents.fetch(url(), { site })).toMatchObject({ outcome: 'unchanged' });
    expect(await store.envelope(site)).toEqual(envelope);

    expect((await keyring.hopKey(site, keys.hop.keyId))?.publicKey).toEqual(keys.hop.key.publicKey);
    expect((await keyring.eventKey(site, keys.event.keyId))?.publicKey).toEqual(keys.event.key.publicKey);
    expect(await keyring.hopKey(site, keys.event.keyId)).toBeUndefined();
    expect(await keyring.eventKey(site, keys.hop.keyId)).toBeUndefined();
    expect(await keyring.hopKey(documentOf(newKeys()).site, keys.hop.keyId)).toBeUndefined();
  });

  test('replaces the one before; the hop key that it gives up is dead, the event key judged by its place', async () => {
    const before = newKeys();
    const after: SiteKeys = { ...newKeys(), root: before.root };
    const { site } = documentOf(before);
    const here = parts(database);
    const replica = parts(other);
    await here.documents.take(documentOf(before).bytes);
    expect(await replica.keyring.hopKey(site, before.hop.keyId)).toBeDefined();
    await here.documents.take(documentOf(after, { ver: 2 }).bytes);

    expect(await here.keyring.hopKey(site, before.hop.keyId)).toBeUndefined();
    expect(await here.keyring.hopKey(site, after.hop.keyId)).toBeDefined();
    expect(await here.keyring.eventKey(site, before.event.keyId)).toBeDefined();
    replica.pass(5_000);
    expect(await replica.keyring.hopKey(site, before.hop.keyId)).toBeUndefined();
    expect(await replica.keyring.hopKey(site, after.hop.keyId)).toBeDefined();
  });

  test('that is older is refused and brings no key back', async () => {
    const before = newKeys();
    const after: SiteKeys = { ...newKeys(), root: before.root };
    const { documents, keyring } = parts(database);
    await documents.take(documentOf(after, { ver: 5 }).bytes);
    const { site, bytes } = documentOf(before, { ver: 4 });
    serve(bytes);
    expect(await documents.fetch(url(), { site })).toEqual({
      outcome: 'refused',
      reason: 'older',
      detail: `version 4 of ${site}`,
    });
    expect(await keyring.hopKey(site, before.hop.keyId)).toBeUndefined();
    expect(await keyring.hopKey(site, after.hop.keyId)).toBeDefined();
  });

  test('that says something else under the same version is refused', async () => {
    const keys = newKeys();
    const { documents } = parts(database);
    await documents.take(documentOf(keys, { ver: 2 }).bytes);
    expect(await documents.take(documentOf(keys, { ver: 2, name: 'Other' }).bytes)).toMatchObject({
      reason: 'conflicting',
    });
  });

  test('in many versions at once, on two replicas, ends with the newest', async () => {
    const keys = newKeys();
    const versions = [7, 3, 9, 1, 8, 2, 6, 5, 4];
    const replicas = [parts(database), parts(other)];
    await Promise.all(
      versions.map((ver, n) =>
        replicas[n % 2]!.documents.take(documentOf({ ...newKeys(), root: keys.root }, { ver }).bytes),
      ),
    );
    const last: SiteKeys = { ...newKeys(), root: keys.root };
    expect(await replicas[0]!.documents.take(documentOf(last, { ver: 9 }).bytes)).toMatchObject({
      reason: 'conflicting',
    });
    const inForce = (await replicas[0]!.store.keys(documentOf(keys).site)).filter(({ isInForce }) => isInForce);
    expect(inForce.map(({ use }) => use).sort()).toEqual(['checkpoint', 'event', 'hop', 'root']);
  });

  test.each<[string, (keys: SiteKeys) => Uint8Array | string]>([
    ['unverifiable', (keys) => documentOf(keys, { signer: generateSigningKey() }).bytes],
    ['unverifiable', (keys) => documentOf({ ...keys, hop: { ...keys.hop, keyId: keys.event.keyId } }).bytes],
    ['unverifiable', (keys) => JSON.stringify({ ...documentOf(keys).envelope, payload: 'e30' })],
    ['other_site', () => documentOf(newKeys()).bytes],
    ['malformed', (keys) => documentOf(keys).bytes.toString().replace('{', '{"payload":"e30",')],
    ['malformed', (keys) => documentOf(keys).bytes.subarray(1)],
    ['malformed', () => '<html>'],
    ['malformed', () => `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
    ['too_large', () => ' '.repeat(federationLimits.documentBytesMax + 1)],
  ])('is refused as %s', async (reason, make) => {
    const keys = newKeys();
    const { documents, store } = parts(database);
    const { site } = documentOf(keys);
    serve(Buffer.from(make(keys)));
    expect(await documents.fetch(url(), { site })).toMatchObject({ outcome: 'refused', reason });
    expect(await store.keys(site)).toEqual([]);
  });

  test.each<[string, () => void]>([
    ['status', () => serve(Buffer.from('{}'), 404)],
    ['redirected', () => serve(Buffer.from(''), 302, { location: 'http://169.254.169.254/' })],
    ['inflated', () => serve(gzipSync(Buffer.alloc(60_000)), 200, { 'content-encoding': 'gzip' })],
    ['bad_encoding', () => serve(Buffer.from('{}'), 200, { 'content-encoding': 'br' })],
  ])('is refused when the answer is: %s', async (reason, answer) => {
    answer();
    expect(await parts(database).documents.fetch(url())).toMatchObject({ outcome: 'refused', reason });
  });

  test('is not fetched from where we may not call', async () => {
    const { documents } = parts(database);
    for (const place of ['http://169.254.169.254', 'https://127.0.0.2', 'https://[::1]']) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const outcome = await documents.fetch(place);
      expect(['bad_url', 'address_refused']).toContain(outcome.outcome === 'refused' ? outcome.reason : undefined);
    }
  });
});

describe('the keyring', () => {
  test('asks the store once for many, also for sites that nobody knows', async () => {
    const { store, keyring, pass } = parts(database);
    let queries = 0;
    const asked = store.keys.bind(store);
    store.keys = (site) => {
      queries += 1;
      return asked(site);
    };
    const ask = () => keyring.hopKey('bs1unknown', 'bk1');
    await Promise.all(Array.from({ length: 50 }, ask));
    expect(queries).toBe(1);
    pass(5_001);
    await ask();
    expect(queries).toBe(2);
  });

  test('forgets a failure of the database at once', async () => {
    const { store, keyring } = parts(database);
    const keys = newKeys();
    const { site, bytes } = documentOf(keys);
    await parts(other).documents.take(bytes);
    const asked = store.keys.bind(store);
    store.keys = () => Promise.reject(new Error('away'));
    await expect(keyring.hopKey(site, keys.hop.keyId)).rejects.toThrow('away');
    store.keys = asked;
    expect(await keyring.hopKey(site, keys.hop.keyId)).toBeDefined();
  });
});
