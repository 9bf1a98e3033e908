import type { AuditConsistency, AuditProof } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import { AppError } from '@boardwire/service-kit';
import { consistencyProof, formatTlogProof, formatVerifier, inclusionProof } from '@boardwire/signing';
import { logSigner, type CheckpointKey } from '../log/checkpoint-key.ts';
import { hashReader } from '../log/hash-reader.ts';
import { logSpan, spanOfEntry } from './log-spans.ts';
import { newestCheckpoint, type StoredCheckpoint } from './stored-checkpoints.ts';

/** Proofs against signed checkpoints. */
export class LogProofs {
  constructor(
    private readonly database: Database,
    private readonly key: CheckpointKey,
  ) {}

  /** That the entry `seq` is in the tree of the newest checkpoint of its epoch that so many have cosigned. */
  async inclusion(seq: number, witnesses = 0): Promise<AuditProof> {
    const { index, checkpoint, proof } = await this.#path(seq, witnesses);
    return { seq, index, size: checkpoint.size, proof: proof.map(toHex), checkpoint: checkpoint.note };
  }

  /** The same as one text that needs nothing else (C2SP tlog-proof). */
  async tlogProof(seq: number, witnesses = 0): Promise<string> {
    const { index, checkpoint, proof } = await this.#path(seq, witnesses);
    return formatTlogProof({ index, proof, checkpoint: checkpoint.note });
  }

  /** That the first `from` of the first `to` entries of an epoch have not been touched. */
  async consistency({ from, to, epoch }: ConsistencyClaim): Promise<AuditConsistency> {
    const span = await logSpan(this.database, epoch);
    const checkpoint = await newestCheckpoint(this.database, span.era);
    if (from > to || checkpoint === undefined || to > checkpoint.size) {
      throw new AppError('invalid', { detail: `from ≤ to ≤ ${checkpoint?.size ?? 0} is needed` });
    }
    return { from, to, proof: (await consistencyProof(from, to, hashReader(this.database, span))).map(toHex) };
  }

  /** A line for each epoch, the newest first, that names it and the key: what a reader needs to check a checkpoint. */
  async verifierKeys(): Promise<string[]> {
    const rows = await this.database.query<{ epoch: string }>(
      'SELECT epoch FROM (SELECT era, epoch FROM tree UNION ALL SELECT era, epoch FROM former_epoch) AS e ORDER BY era DESC',
    );
    if (rows.length === 0) throw new AppError('starting');
    return rows.map(({ epoch }) => formatVerifier(logSigner(this.key, epoch)));
  }

  async #path(
    seq: number,
    witnesses: number,
  ): Promise<{ index: number; checkpoint: StoredCheckpoint; proof: Buffer[] }> {
    const span = await spanOfEntry(this.database, seq);
    const checkpoint = span === undefined ? undefined : await newestCheckpoint(this.database, span.era, { witnesses });
    const index = seq - (span?.firstSeq ?? 0);
    if (span === undefined || checkpoint === undefined || index >= checkpoint.size) {
      throw new AppError('not_found', { detail: `no checkpoint covers entry ${seq}` });
    }
    return { index, checkpoint, proof: await inclusionProof(index, checkpoint.size, hashReader(this.database, span)) };
  }
}

export interface ConsistencyClaim {
  from: number;
  to: number;
  epoch?: string | undefined;
}

const toHex = (hash: Buffer) => hash.toString('hex');
