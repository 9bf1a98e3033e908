import { migrations as auditMigrations } from '@boardwire/audit/operator';
import { migrations as chatMigrations } from '@boardwire/chat/operator';
import { missingMigrations, openDatabase, type Database, type Migration } from '@boardwire/database';
import { migrations as federationMigrations } from '@boardwire/federation/operator';
import { createLogger } from '@boardwire/service-kit';
import type { Given } from '../command.ts';
import type { Finding } from '../report.ts';
import { finding, ok, reasonOf } from './check.ts';
import { clockFinding } from './clock-finding.ts';

type Store = 'chat' | 'federation' | 'audit';
const stores: Readonly<Record<Store, readonly Migration[]>> = {
  chat: chatMigrations,
  federation: federationMigrations,
  audit: auditMigrations,
};

const oldestMajor = 15;
const poolDefault = 10;
/** A service's locks and migrations have connections of their own beside its pool. */
const besidePool = 3;
const checkpointLateSeconds = 60;

/** Of every service that stores: is its database there, of a version that is tried, migrated, with room for its connections? */
export async function checkPostgres(given: Given): Promise<Finding[]> {
  const { settings } = given;
  const replicas = Number(given.text('replicas') ?? 1);
  const findings: Finding[] = [];
  let wanted = 0;
  for (const store of Object.keys(stores) as Store[]) {
    const env = settings.envOf(store);
    wanted += replicas * (Number(env['DATABASE_POOL_MAX'] || poolDefault) + besidePool);
    // oxlint-disable-next-line no-await-in-loop -- one after the other, as they are told
    findings.push(...(await checkStore(store, env['DATABASE_URL'], stores[store])));
  }
  const url = settings.envOf('chat')['DATABASE_URL'];
  if (url !== undefined) findings.push(...(await within(url, 'chat', (database) => checkServer(database, wanted))));
  const audit = settings.envOf('audit')['DATABASE_URL'];
  if (audit !== undefined) findings.push(...(await within(audit, 'audit', checkCheckpoint)));
  return findings;
}

async function checkStore(
  schema: Store,
  url: string | undefined,
  migrations: readonly Migration[],
): Promise<Finding[]> {
  const check = `database of ${schema}`;
  if (url === undefined)
    return [finding(check, 'there is no DATABASE_URL', 'Set it: boardwire check-config tells more.')];
  try {
    const missing = await missingMigrations({ url, schema, migrations });
    if (missing.length === 0) return [ok(check, 'it is reached, and its schema is up to date')];
    const mend = `Start ${schema} with MIGRATIONS=run, or run its migrate.js first (docs/operations.md, Upgrade).`;
    return [finding(check, `${missing.length} migrations have not run, ${missing[0]} first`, mend)];
  } catch (error) {
    const mend = 'Is Postgres up, are host, port and password of DATABASE_URL right, and is the way there open?';
    return [finding(check, reasonOf(error), mend)];
  }
}

/** A server that can't be reached was told of already. */
async function within(
  url: string,
  schema: string,
  look: (database: Database) => Promise<Finding[]>,
): Promise<Finding[]> {
  const logger = createLogger({ service: 'operator', level: 'silent' });
  const database = await openDatabase({ url, schema, migrations: [], waitMs: 0, poolMax: 1, logger }).catch(
    () => undefined,
  );
  if (database === undefined) return [];
  try {
    return await look(database);
  } finally {
    await database.close();
  }
}

interface ServerRow {
  version: number;
  connectionsMax: number;
  reserved: number;
  nowMs: number;
  isReplica: boolean;
}

async function checkServer(database: Database, wanted: number): Promise<Finding[]> {
  const askedMs = Date.now();
  const [row] = await database.query<ServerRow>(`
    SELECT current_setting('server_version_num')::int AS version, current_setting('max_connections')::int AS "connectionsMax",
      current_setting('superuser_reserved_connections')::int AS reserved, pg_is_in_recovery() AS "isReplica",
      (extract(epoch FROM clock_timestamp()) * 1000)::double precision AS "nowMs"`);
  const { version, connectionsMax, reserved, nowMs, isReplica } = row!;
  const major = Math.floor(version / 10_000);
  const room = connectionsMax - reserved;
  const upgrade = `Boardwire is tried on Postgres ${oldestMajor} and newer. Upgrade the server.`;
  const widen = `Raise max_connections above ${wanted + reserved}, or lower DATABASE_POOL_MAX.`;
  return [
    major >= oldestMajor ? ok('postgres', `version ${major}`) : finding('postgres', `version ${major}`, upgrade),
    wanted <= room
      ? ok('connections', `${wanted} at most, room for ${room}`)
      : finding('connections', `the services may open ${wanted}, the server takes ${room}`, widen),
    ...(isReplica
      ? [finding('postgres', 'this server is a replica and takes no writes', 'Name the primary in DATABASE_URL.')]
      : []),
    clockFinding('clock of postgres', nowMs - (askedMs + Date.now()) / 2),
  ];
}

/** A log that grew is signed every second. */
async function checkCheckpoint(database: Database): Promise<Finding[]> {
  const rows = await database
    .query<{ size: number; signed: number; seconds: number }>(
      `SELECT t.size, c.size AS signed, extract(epoch FROM now() - c.at)::double precision AS seconds
       FROM tree t LEFT JOIN LATERAL (SELECT size, at FROM checkpoint ORDER BY at DESC LIMIT 1) c ON true`,
    )
    .catch(() => []);
  const [row] = rows;
  if (row === undefined || row.size === 0) return [];
  const seconds = Math.round(row.seconds);
  if (row.signed === row.size || seconds <= checkpointLateSeconds) {
    return [ok('audit checkpoint', `the newest is of ${row.signed ?? 0} entries, ${seconds} s old`)];
  }
  const mend = 'Is audit running, and does one of its replicas lead? docs/runbooks/checkpoint-old.md.';
  const says = `${row.size - (row.signed ?? 0)} entries are not signed, the newest checkpoint is ${seconds} s old`;
  return [finding('audit checkpoint', says, mend)];
}
