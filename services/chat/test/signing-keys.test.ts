import { openDatabase, provisionSchemas, type Database } from '@boardwire/database';
import { createLogger } from '@boardwire/service-kit';
import { startTestPostgres } from '@boardwire/test-kit';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { rotateSigningKey } from '../src/accounts/rotate-signing-key.ts';
import { SigningKeys } from '../src/accounts/signing-keys.ts';
import { migrations } from '../src/migrations/migrations.ts';

const secret = 's'.repeat(32);
const logger = createLogger({ service: 'test', level: 'silent' });
const minuteMs = 60_000;

let postgres: Awaited<ReturnType<typeof startTestPostgres>>;
let database: Database;

beforeAll(async () => {
  postgres = await startTestPostgres();
  const schemas = [{ schema: 'chat', role: 'boardwire_chat', password: 'p' }];
  const urls = await provisionSchemas(postgres.postgres.url, schemas);
  database = await openDatabase({ url: urls['chat']!, schema: 'chat', migrations, logger });
}, 60_000);
afterAll(async () => {
  await database?.close();
  await postgres?.stop();
});
beforeEach(async () => {
  await database.query('TRUNCATE signing_key, next_signing_key, decision_outbox');
});

/** Replicas that have just started: what one remembers for a second is no matter here. */
const signs = async () => (await new SigningKeys(database, logger, secret).current()).kid;
const verifies = async () => {
  const keys = await new SigningKeys(database, logger, secret).publicKeys();
  return keys.map(({ kid }) => kid);
};
const rotate = (signAfterMs: number, more: { secret?: string; signal?: AbortSignal } = {}) =>
  rotateSigningKey(database, { secret, signAfterMs, ...more });
const aMinuteLater = () =>
  database.query(
    `UPDATE next_signing_key SET created_at = created_at - interval '1 minute', signs_from = signs_from - interval '1 minute'`,
  );

test('a new key verifies before it signs, and the former one as long as its tokens live', async () => {
  const former = await signs();
  const { from, to } = await rotate(minuteMs);
  expect([from, await signs(), await verifies()]).toEqual([former, former, [former, to]]);
  await aMinuteLater();
  expect(await Promise.all([signs(), signs(), signs()])).toEqual([to, to, to]);
  expect(new Set(await verifies())).toEqual(new Set([former, to]));
  const [row] = await database.query<{ bytes: number }>(
    'SELECT length(sealed_private_key) AS bytes FROM signing_key WHERE kid = $1',
    [former],
  );
  expect(row).toEqual({ bytes: 0 });
  await database.query(`UPDATE signing_key SET retired_at = retired_at - interval '1 hour'`);
  expect(await verifies()).toEqual([to]);
});

test('one that is to sign at once does, and nothing of the former one verifies', async () => {
  await signs();
  const { to } = await rotate(0);
  expect([await signs(), await verifies()]).toEqual([to, [to]]);
});

test('of several who rotate at once one does; who is interrupted or has another secret changes nothing', async () => {
  await expect(rotate(0)).rejects.toThrow('no key of tokens yet');
  const former = await signs();
  await expect(rotate(0, { signal: AbortSignal.abort() })).rejects.toThrow('nothing was changed');
  await expect(rotate(0, { secret: 'o'.repeat(32) })).rejects.toThrow('another INTERNAL_SECRET');
  expect([await signs(), await verifies()]).toEqual([former, [former]]);
  const outcomes = await Promise.allSettled([1, 2, 3].map(() => rotate(minuteMs)));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  const decisions = await database.query<{ action: string }>('SELECT action FROM decision_outbox');
  expect(decisions).toEqual([{ action: 'account.keys.rotate' }]);
});
