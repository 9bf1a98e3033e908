import type { AuditConsistency, NewCosignature, NewestCheckpoint } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import { AppError } from '@boardwire/service-kit';
import { formatVerifier, NoteError, openCosignatures, parseCosignatureVerifier } from '@boardwire/signing';
import { logSigner, type CheckpointKey } from '../log/checkpoint-key.ts';
import type { LogProofs, ConsistencyClaim } from '../reading/log-proofs.ts';
import { logSpan } from '../reading/log-spans.ts';

/** A witness' clock may be wrong by so much; beyond it the time that it signs says nothing. */
const clockMs = 3_600_000;

interface StoredNote {
  era: number;
  size: number;
  note: string;
}

/** What is brought to witnesses, and what they have answered. */
export class Cosignatures {
  readonly #database: Database;
  readonly #key: CheckpointKey;
  readonly #proofs: LogProofs;

  constructor(parts: { database: Database; key: CheckpointKey; proofs: LogProofs }) {
    this.#database = parts.database;
    this.#key = parts.key;
    this.#proofs = parts.proofs;
  }

  /** The newest checkpoint of the epoch that is written, as it was signed: without what others have added. */
  async newest(): Promise<NewestCheckpoint> {
    const { era, epoch } = await logSpan(this.#database);
    const stored = await this.#note(era);
    if (stored === undefined) throw new AppError('not_found', { detail: 'nothing of this epoch is signed yet' });
    const key = formatVerifier(logSigner(this.#key, epoch));
    return { epoch, size: stored.size, key, checkpoint: stored.note };
  }

  consistency(claim: ConsistencyClaim): Promise<AuditConsistency> {
    return this.#proofs.consistency(claim);
  }

  /** Keeps a cosignature that verifies by the key given; anything else is `invalid`. A repeat is harmless. */
  async keep({ epoch, size, witness, cosignature }: NewCosignature): Promise<void> {
    const { era } = await logSpan(this.#database, epoch);
    const stored = await this.#note(era, size);
    if (stored === undefined) throw new AppError('not_found', { detail: 'no such checkpoint is signed' });
    const { name, atSeconds } = verified(stored.note, { witness, cosignature });
    await this.#database.query(storeSql, [era, size, name, cosignature, witness, atSeconds]);
  }

  async #note(era: number, size?: number): Promise<StoredNote | undefined> {
    const [row] = await this.#database.query<StoredNote>(
      'SELECT era, size, note FROM checkpoint WHERE era = $1 AND (size = $2 OR $2 IS NULL) ORDER BY size DESC LIMIT 1',
      [era, size ?? null],
    );
    return row;
  }
}

/** One line, by this witness, over this note: nothing else comes into what is shown of it. */
function verified(note: string, { witness, cosignature }: Pick<NewCosignature, 'witness' | 'cosignature'>) {
  try {
    if (cosignature.indexOf('\n') !== cosignature.length - 1) throw new NoteError('not one line');
    const [opened] = openCosignatures(note + cosignature, [parseCosignatureVerifier(witness)]);
    if (opened === undefined) throw new NoteError('not by this witness');
    if (Math.abs(Date.now() - opened.atSeconds * 1_000) > clockMs) throw new NoteError('its time is wrong');
    return opened;
  } catch (error) {
    if (error instanceof NoteError) throw new AppError('invalid', { detail: `the cosignature: ${error.message}` });
    throw error;
  }
}

const storeSql = `
WITH stored AS (
  INSERT INTO cosignature (era, size, name, line) VALUES ($1::integer, $2::bigint, $3, $4) ON CONFLICT DO NOTHING
)
INSERT INTO witness (name, key, era, size, signed_at) VALUES ($3, $5, $1::integer, $2::bigint, to_timestamp($6::float8))
ON CONFLICT (name) DO UPDATE
  SET key = excluded.key, era = excluded.era, size = excluded.size, signed_at = excluded.signed_at, at = now()
  WHERE (excluded.era, excluded.size) >= (witness.era, witness.size)`;
