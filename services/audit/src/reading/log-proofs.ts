import type { AuditConsistency, AuditProof } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import { AppError } from '@boardwire/service-kit';
import { consistencyProof, formatVerifier, inclusionProof, type NodeReader } from '@boardwire/signing';
import { logSigner, type CheckpointKey } from '../log/checkpoint-key.ts';
import { hashReader } from '../log/hash-reader.ts';
import type { LogStatus } from './log-status.ts';

/** Proofs against signed checkpoints. */
export class LogProofs {
  readonly #read: NodeReader;

  constructor(
    private readonly database: Database,
    private readonly status: LogStatus,
    private readonly key: CheckpointKey,
  ) {
    this.#read = hashReader(database);
  }

  /** That the entry `seq` is in the tree of the newest checkpoint. */
  async inclusion(seq: number): Promise<AuditProof> {
    const checkpoint = await this.status.checkpoint();
    if (checkpoint === undefined || seq >= checkpoint.size) {
      throw new AppError('not_found', { detail: `no checkpoint covers entry ${seq}` });
    }
    const proof = await inclusionProof(seq, checkpoint.size, this.#read);
    return { seq, size: checkpoint.size, proof: proof.map(toHex), checkpoint: checkpoint.note };
  }

  /** That the first `from` of the first `to` entries have not been touched. */
  async consistency(from: number, to: number): Promise<AuditConsistency> {
    const checkpoint = await this.status.checkpoint();
    if (from > to || checkpoint === undefined || to > checkpoint.size) {
      throw new AppError('invalid', { detail: `from ≤ to ≤ ${checkpoint?.size ?? 0} is needed` });
    }
    return { from, to, proof: (await consistencyProof(from, to, this.#read)).map(toHex) };
  }

  /** The line that names the log and its key: what a reader needs to check a checkpoint. */
  async verifierKey(): Promise<string> {
    const [row] = await this.database.query<{ epoch: string }>('SELECT epoch FROM tree');
    if (row === undefined) throw new AppError('starting');
    return formatVerifier(logSigner(this.key, row.epoch));
  }
}

const toHex = (hash: Buffer) => hash.toString('hex');
