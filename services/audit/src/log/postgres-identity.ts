import type { Queryable } from '@boardwire/database';

/** Which Postgres this is: a restored cluster has another identifier, a promoted or recovered one another timeline. */
export interface PostgresIdentity {
  systemIdentifier: string;
  timeline: string;
}

/** Hosted databases may keep it to themselves; then only the witness tells. */
export async function postgresIdentity(database: Queryable): Promise<PostgresIdentity | undefined> {
  const [allowed] = await database.query<{ may: boolean }>(
    "SELECT has_function_privilege('pg_control_system()', 'execute') AS may",
  );
  if (allowed?.may !== true) return undefined;
  return (await database.query<PostgresIdentity>(identitySql))[0];
}

/** The timeline is the first eight digits of a WAL file's name. */
const identitySql = `
  SELECT (SELECT system_identifier::text FROM pg_control_system()) AS "systemIdentifier",
    left(pg_walfile_name(pg_current_wal_lsn()), 8) AS timeline`;
