import { openDatabase, provisionSchemas, type Database } from '@boardwire/database';
import { createLogger } from '@boardwire/service-kit';
import { startTestPostgres } from '@boardwire/test-kit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { KeyVault } from '../src/identity/key-vault.ts';
import { LiveIdentity } from '../src/identity/live-identity.ts';
import { rotateSiteKeys, type RotatedUse } from '../src/identity/rotate-site-keys.ts';
import { loadSiteIdentity, type SiteIdentity } from '../src/identity/site-identity.ts';
import { verifySiteDocument } from '../src/identity/verify-site-document.ts';
import { migrations } from '../src/migrations.ts';

const vault = new KeyVault(['s'.repeat(32)]);
const logger = createLogger({ service: 'test', level: 'silent' });
const minuteMs = 60_000;

let postgres: Awaited<ReturnType<typeof startTestPostgres>>;
let database: Database;
let other: Database;
let before: SiteIdentity;

beforeAll(async () => {
  postgres = await startTestPostgres();
  const schemas = [{ schema: 'federation', role: 'boardwire_federation', password: 'p' }];
  const urls = await provisionSchemas(postgres.postgres.url, schemas);
  const open = () => openDatabase({ url: urls['federation']!, schema: 'federation', migrations, logger });
  [database, other] = [await open(), await open()];
}, 60_000);
afterAll(async () => {
  await Promise.all([database?.close(), other?.close()]);
  await postgres?.stop();
});
beforeEach(async () => {
  await database.query('TRUNCATE site_key, next_site_key, site_document, decision_outbox');
  before = await loadSiteIdentity(database, vault, { name: 'Test', endpoints: ['https://a.example'] });
});

const rotate = (uses: readonly RotatedUse[], signAfterMs = minuteMs) =>
  rotateSiteKeys(database, vault, { uses, signAfterMs });
const replica = (on: Database) => new LiveIdentity(before, { database: on, vault, logger });
const idsOf = ({ keys }: SiteIdentity) => Object.values(keys).map(({ keyId }) => keyId);
const documentOf = ({ document }: SiteIdentity) => verifySiteDocument(document)!;
const named = (identity: SiteIdentity, use: string) =>
  documentOf(identity)
    .keys.filter((key) => key.use === use)
    .map(({ kid }) => kid);
const everything = () =>
  database.query(
    `SELECT (SELECT json_agg(k ORDER BY kid) FROM site_key k) AS keys, (SELECT json_agg(n) FROM next_site_key n) AS next,
       (SELECT max(ver) FROM site_document) AS ver, (SELECT count(*) FROM decision_outbox) AS decisions`,
  );

/** All that was due within a minute is due. */
async function aMinuteLater(): Promise<void> {
  const minute = `interval '1 minute'`;
  await database.query(
    `UPDATE next_site_key SET created_at = created_at - ${minute}, signs_from = signs_from - ${minute}`,
  );
  await database.query(
    `UPDATE site_key SET created_at = created_at - ${minute}, named_until = named_until - ${minute}`,
  );
}

describe('new keys', () => {
  test('are named first, sign when every replica knows them, and then the former hop key is named no more', async () => {
    const [one, two] = [replica(database), replica(other)];
    const { rotations, documentVersion } = await rotate(['hop', 'event']);
    const [hop, event] = rotations.map(({ to }) => to);
    await Promise.all([one.look(), two.look()]);
    for (const each of [one, two]) {
      expect(idsOf(each)).toEqual(idsOf(before));
      expect(each.documentVersion).toBe(documentVersion);
      expect(named(each, 'hop')).toEqual([before.keys.hop.keyId, hop]);
      expect(named(each, 'event')).toEqual([before.keys.event.keyId, event]);
      expect([...each.eventKeys.keys()]).toEqual(named(each, 'event'));
    }
    await aMinuteLater();
    await Promise.all([one.look(), two.look()]);
    // One of them may have looked before the other had changed anything.
    await Promise.all([one.look(), two.look()]);
    for (const each of [one, two]) {
      expect([each.keys.hop.keyId, each.keys.event.keyId]).toEqual([hop, event]);
      // Whoever still signs with the former key is understood, and no newer document is needed for that.
      expect(each.documentVersion).toBe(documentVersion);
    }
    await aMinuteLater();
    await Promise.all([one.look(), two.look()]);
    await Promise.all([one.look(), two.look()]);
    for (const each of [one, two]) {
      expect(each.documentVersion).toBe(documentVersion + 1);
      expect(named(each, 'hop')).toEqual([hop]);
      expect(named(each, 'event')).toEqual([before.keys.event.keyId, event]);
      expect([documentOf(each).name, documentOf(each).endpoints]).toEqual(['Test', ['https://a.example']]);
    }
  });

  test('that nobody was running to take up are in force after a start', async () => {
    const { rotations } = await rotate(['event']);
    await aMinuteLater();
    const started = await loadSiteIdentity(database, vault, { name: 'Test', endpoints: ['https://a.example'] });
    expect(started.keys.event.keyId).toBe(rotations[0]!.to);
    expect(started.keys.hop.keyId).toBe(before.keys.hop.keyId);
  });

  test('sign at once when they are told to, and the former hop key passes no more', async () => {
    const { rotations } = await rotate(['hop'], 0);
    const after = replica(database);
    await after.look();
    expect(after.keys.hop.keyId).toBe(rotations[0]!.to);
    expect(named(after, 'hop')).toEqual([rotations[0]!.to]);
    expect(named(after, 'event')).toEqual([before.keys.event.keyId]);
  });

  test('leave nothing of the former ones that could sign', async () => {
    await rotate(['hop', 'event'], 0);
    const rows = await database.query<{ use: string; sealed: Buffer }>(
      'SELECT use, sealed FROM site_key WHERE retired_at IS NOT NULL ORDER BY use',
    );
    expect(rows.map(({ use, sealed }) => [use, sealed.length])).toEqual([
      ['event', 0],
      ['hop', 0],
    ]);
  });

  test('stand in the audit with what they replace', async () => {
    const { rotations } = await rotate(['event']);
    const [decision] = await database.query<{ action: string; actor: string; detail: { keys: object[] } }>(
      'SELECT action, actor, detail FROM decision_outbox',
    );
    const { from, to } = rotations[0]!;
    expect(decision).toMatchObject({ action: 'federation.keys.rotate', actor: 'operator' });
    expect(decision!.detail.keys).toMatchObject([{ use: 'event', from, to }]);
  });

  test('of a database that was put back have a document above every earlier one', async () => {
    const lost = await rotate(['hop'], 0);
    await database.query('TRUNCATE site_key, site_document');
    await loadSiteIdentity(database, vault, { name: 'Test', endpoints: [] });
    const again = await rotate(['hop'], 0);
    expect(again.documentVersion).toBeGreaterThanOrEqual(lost.documentVersion);
    expect(again.documentVersion).toBeGreaterThan(1_000_000);
  });
});

describe('a rotation', () => {
  test('is one when two are told to at once, and others may follow when it is through', async () => {
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => rotate(['hop'])));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(String(outcome.reason)).toContain('waits already');
    }
    await expect(rotate(['event', 'hop'])).rejects.toThrow('waits already');
    await rotate(['event']);
    await aMinuteLater();
    await rotate(['hop', 'event']);
  });

  test('changes nothing when it is interrupted, when the secret is another one, or when there is no identity', async () => {
    const untouched = await everything();
    const aborted = { uses: ['hop', 'event'] as const, signAfterMs: 0, signal: AbortSignal.abort() };
    await expect(rotateSiteKeys(database, vault, aborted)).rejects.toThrow('nothing was changed');
    const stranger = new KeyVault(['o'.repeat(32)]);
    await expect(rotateSiteKeys(database, stranger, { uses: ['hop'], signAfterMs: 0 })).rejects.toThrow(
      'sealed under another secret',
    );
    expect(await everything()).toEqual(untouched);
    await database.query('TRUNCATE site_key, site_document');
    await expect(rotate(['hop'])).rejects.toThrow('no keys yet');
    expect(await database.query('SELECT kid FROM site_key')).toEqual([]);
  });
});

test('a replica goes on with what it has when the database is put back behind it', async () => {
  const live = replica(database);
  const changes: number[] = [];
  live.onChanged(() => changes.push(live.documentVersion));
  await rotate(['hop'], 0);
  await live.look();
  const { keys, documentVersion } = live;
  await database.query('DELETE FROM site_document WHERE ver = $1', [documentVersion]);
  await live.look();
  expect([live.keys, live.documentVersion]).toEqual([keys, documentVersion]);
  expect(changes).toEqual([documentVersion]);
});
