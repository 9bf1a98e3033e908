import type { Client } from 'pg';

/** A copy of the audit's tables, to be put back by a superuser as a restored backup is. */
export class SchemaBackup {
  private constructor(
    private readonly superuser: Client,
    private readonly tables: readonly string[],
  ) {}

  static async take(superuser: Client): Promise<SchemaBackup> {
    // Partitions are copied with their parents.
    const { rows } = await superuser.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relnamespace = 'audit'::regnamespace
       AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'migrations'`,
    );
    const tables = rows.map(({ name }) => name);
    const copies = tables.map((name) => `CREATE TABLE backup.${name} AS TABLE audit.${name}`);
    // One snapshot, as every backup is.
    await superuser.query(`BEGIN ISOLATION LEVEL REPEATABLE READ; CREATE SCHEMA backup; ${copies.join(';')}; COMMIT`);
    return new SchemaBackup(superuser, tables);
  }

  /** Cuts every session of the service first, as putting files back does. */
  async putBack(): Promise<void> {
    const { superuser, tables } = this;
    const inserts = tables.map(
      (name) => `INSERT INTO audit.${name} OVERRIDING SYSTEM VALUE SELECT * FROM backup.${name}`,
    );
    await superuser.query(`SET session_replication_role = replica; BEGIN;
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'boardwire_audit%';
      TRUNCATE ${tables.map((name) => `audit.${name}`).join(', ')};
      ${inserts.join(';')}; COMMIT; SET session_replication_role = DEFAULT`);
  }
}
