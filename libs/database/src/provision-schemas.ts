import pg from 'pg';
import { withRole, withSearchPath } from './connection-url.ts';
import { numericTypes } from './numeric-types.ts';

export interface ServiceSchema {
  schema: string;
  role: string;
  password: string;
  /**
   * Who uses the schema where its owner only migrates: owns nothing, and has what the owner grants. `mayBecome` are roles
   * without a login whose rights it takes on by `SET ROLE` alone.
   */
  runner?: { role: string; password: string; mayBecome?: readonly string[] };
}

const provisioningLock = 7_236_018_441;
const connectMs = 5_000;
const statementMs = 30_000;

/**
 * Gives each service its own schema and its own role, which reads nobody else's. Safe to repeat and to run from two
 * places at once. Where the administrator may not create roles (some hosted databases), the services share its role
 * and are kept apart by `search_path` alone.
 *
 * @returns for each schema, the URL of its owner; where it has a runner and roles can be made, that one's as
 * `<schema>/runner`.
 */
export async function provisionSchemas(
  adminUrl: string,
  schemas: readonly ServiceSchema[],
): Promise<Record<string, string>> {
  const client = new pg.Client({
    connectionString: adminUrl,
    connectionTimeoutMillis: connectMs,
    statement_timeout: statementMs,
    types: numericTypes,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [provisioningLock]);
    const mayCreateRoles = await canCreateRoles(client);
    const urls: Record<string, string> = {};
    for (const wanted of schemas) {
      // oxlint-disable-next-line no-await-in-loop -- one connection
      urls[wanted.schema] = await provision(client, { adminUrl, wanted, mayCreateRoles });
      if (wanted.runner === undefined || !mayCreateRoles) continue;
      // oxlint-disable-next-line no-await-in-loop
      urls[`${wanted.schema}/runner`] = await provisionRunner(client, { adminUrl, wanted, runner: wanted.runner });
    }
    return urls;
  } finally {
    await client.end();
  }
}

async function canCreateRoles(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ may: boolean }>(
    'SELECT rolsuper OR rolcreaterole AS may FROM pg_roles WHERE rolname = current_user',
  );
  return rows[0]?.may ?? false;
}

interface Provisioning {
  adminUrl: string;
  wanted: ServiceSchema;
  mayCreateRoles: boolean;
}

async function provision(client: pg.Client, { adminUrl, wanted, mayCreateRoles }: Provisioning): Promise<string> {
  const schema = pg.escapeIdentifier(wanted.schema);
  if (!mayCreateRoles) {
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
    return withSearchPath(adminUrl, wanted.schema);
  }
  const role = pg.escapeIdentifier(wanted.role);
  await ensureRole(client, wanted);
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema} AUTHORIZATION ${role}`);
  await client.query(`ALTER ROLE ${role} SET search_path = ${schema}`);
  return withSearchPath(withRole(adminUrl, wanted.role, wanted.password), wanted.schema);
}

async function provisionRunner(
  client: pg.Client,
  {
    adminUrl,
    wanted,
    runner,
  }: { adminUrl: string; wanted: ServiceSchema; runner: NonNullable<ServiceSchema['runner']> },
): Promise<string> {
  const { role, password, mayBecome = [] } = runner;
  await ensureRole(client, runner);
  const name = pg.escapeIdentifier(role);
  await client.query(`ALTER ROLE ${name} NOINHERIT`);
  await client.query(`ALTER ROLE ${name} SET search_path = ${pg.escapeIdentifier(wanted.schema)}`);
  for (const other of mayBecome) {
    // oxlint-disable-next-line no-await-in-loop -- one connection
    const known = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [other]);
    // oxlint-disable-next-line no-await-in-loop
    if (known.rowCount === 0) await client.query(`CREATE ROLE ${pg.escapeIdentifier(other)} NOLOGIN`);
    // oxlint-disable-next-line no-await-in-loop
    await client.query(`GRANT ${pg.escapeIdentifier(other)} TO ${name}`);
  }
  return withSearchPath(withRole(adminUrl, role, password), wanted.schema);
}

async function ensureRole(client: pg.Client, wanted: { role: string; password: string }): Promise<void> {
  const role = pg.escapeIdentifier(wanted.role);
  const known = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [wanted.role]);
  const verb = known.rowCount === 0 ? 'CREATE' : 'ALTER';
  await client.query(`${verb} ROLE ${role} LOGIN PASSWORD ${pg.escapeLiteral(wanted.password)}`);
  const database = await client.query<{ name: string }>('SELECT current_database() AS name');
  await client.query(`GRANT CONNECT ON DATABASE ${pg.escapeIdentifier(database.rows[0]!.name)} TO ${role}`);
  // Since Postgres 16 only a superuser may make a schema for a role it is not a member of.
  await client.query(`GRANT ${role} TO CURRENT_USER`).catch(() => undefined);
}
