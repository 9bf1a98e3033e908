import type { Database } from '@boardwire/database';

/** Roles beside the owner of the tables. */
export interface AuditRoles {
  /** The running service: inserts, reads, moves marks; it can change nothing that is logged. */
  append: string;
  /** What the service becomes for as long as it forgets something: deletes from `detail`, drops whole days. */
  retention: string;
}

const grantLock = 7_236_018_442;

/** Gives both roles what they need and nothing else. Run by the owner, at every start: a repeat changes nothing. */
export async function grantRoles(owner: Database, { append, retention }: AuditRoles): Promise<void> {
  await owner.transaction(async (transaction) => {
    // Replicas start together, and two grants at once on one table fail.
    await transaction.query('SELECT pg_advisory_xact_lock($1)', [grantLock]);
    for (const grant of grantsFor(quoted(append), quoted(retention))) {
      // oxlint-disable-next-line no-await-in-loop -- one connection
      await transaction.query(grant);
    }
  });
}

const grown = 'entry, detail, leaf, tile, checkpoint, cosignature, former_epoch, redaction';
const moved = 'tree, mark, day_count, board_day, decision_stream, removal_mark, witness';

function grantsFor(append: string, retention: string): string[] {
  return [
    `DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO ${append}, ${retention}', current_schema()); END $$`,
    `GRANT SELECT ON ${grown}, ${moved}, dropped_records, checkpoint_key, gap, decision_inbox TO ${append}`,
    // To see whether the schema is the one that it knows.
    `GRANT SELECT ON migrations TO ${append}`,
    `GRANT INSERT ON ${grown}, ${moved}, checkpoint_key, gap, decision_inbox TO ${append}`,
    `GRANT UPDATE ON ${moved} TO ${append}`,
    `GRANT DELETE ON gap, decision_inbox TO ${append}`,
    `GRANT EXECUTE ON FUNCTION ensure_day(date), summarize_names(date) TO ${append}`,
    `GRANT SELECT ON entry, detail TO ${retention}`,
    `GRANT DELETE ON detail TO ${retention}`,
    `GRANT EXECUTE ON FUNCTION drop_day(date) TO ${retention}`,
  ];
}

const quoted = (role: string) => `"${role.replaceAll('"', '""')}"`;
