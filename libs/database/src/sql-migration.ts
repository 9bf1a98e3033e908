import type { MigrationInterface, QueryRunner } from 'typeorm';

export type Migration = new () => MigrationInterface;

/**
 * A migration that is plain SQL. The name ends in a JavaScript timestamp of 13 digits, by which migrations are ordered
 * and remembered: `CreateBoards1700000000000`. There is no way down: a mistake is repaired by the next migration.
 */
export function sqlMigration(name: string, sql: string): Migration {
  if (!/^[A-Za-z]\w*\d{13}$/.test(name)) throw new Error(`${name} does not end in a timestamp`);
  return class implements MigrationInterface {
    readonly name = name;

    async up(runner: QueryRunner): Promise<void> {
      await runner.query(sql);
    }

    down(): Promise<void> {
      return Promise.reject(new Error('migrations only go forward'));
    }
  };
}
