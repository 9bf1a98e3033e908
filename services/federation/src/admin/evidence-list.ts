import type { FederationEvidence } from '@boardwire/contracts';
import type { Queryable } from '@boardwire/database';

const rowsMax = 500;

/** Where sites have said two things at one place, the newest first. */
export async function evidenceList(database: Queryable): Promise<FederationEvidence[]> {
  const rows = await database.query<Omit<FederationEvidence, 'at'> & { at: Date }>(
    `SELECT room, site, epoch, oseq, encode(sha256(kept_header), 'hex') AS "keptHash",
       encode(other_hash, 'hex') AS "otherHash", carrier, at
     FROM evidence ORDER BY at DESC, oseq DESC LIMIT $1`,
    [rowsMax],
  );
  return rows.map(({ at, ...row }) => ({ ...row, at: at.toISOString() }));
}
