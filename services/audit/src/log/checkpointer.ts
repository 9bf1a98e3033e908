import { isConnectionError, type Database } from '@boardwire/database';
import { PublishFailed } from '@boardwire/messaging';
import type { Logger, Loop } from '@boardwire/service-kit';
import { signCheckpoint, type NoteSigner } from '@boardwire/signing';
import type { AuditMetrics } from '../metrics.ts';
import { logSigner, type CheckpointKey } from './checkpoint-key.ts';
import type { LogWitness } from './log-witness.ts';
import type { SignedTree } from './signed-tree.ts';
import type { CommittedTree, Probe, Sequencer } from './sequencer.ts';
import { LogDamaged } from './stored-log.ts';

export interface CheckpointerOptions {
  database: Database;
  sequencer: Sequencer;
  key: CheckpointKey;
  /** Keeps each checkpoint outside the database, before anybody can read it. */
  witness?: LogWitness | undefined;
  metrics: AuditMetrics;
  logger: Logger;
  probe?: Probe | undefined;
}

/** A log that grows is signed this often, with room to be stored within the second; at once after a pause. */
const everyMs = 750;
const retryMs = 250;

/**
 * Signs what is committed. A checkpoint is stored before anybody can read it, one for each size: whoever finds another
 * root stored for the same size has found a fork and stops.
 */
export class Checkpointer {
  readonly #options: CheckpointerOptions;
  #signed = { epoch: '', size: 0 };
  #signedAt = -Infinity;
  #wake: () => void = () => undefined;

  constructor(options: CheckpointerOptions) {
    this.#options = options;
    options.sequencer.onGrown(() => this.#wake());
  }

  async run(loop: Loop): Promise<void> {
    while (!loop.signal.aborted) {
      const dueMs = this.#signedAt + everyMs - performance.now();
      // oxlint-disable-next-line no-await-in-loop -- one checkpoint after the other
      if (dueMs > 0) await loop.idle(dueMs);
      const grown = this.#grownTree();
      // oxlint-disable-next-line no-await-in-loop
      if (grown !== undefined) await this.#signOrWait(grown, loop);
      // oxlint-disable-next-line no-await-in-loop
      else await loop.idle(250, new Promise<void>((resolve) => (this.#wake = resolve)));
    }
  }

  /** Signs the last entries before the service stops. */
  async finish(): Promise<void> {
    const grown = this.#grownTree();
    if (grown === undefined) return;
    await this.#sign(grown).catch((error: unknown) => {
      // Signed by the next one who leads.
      if (!(error instanceof PublishFailed)) throw error;
    });
  }

  async #signOrWait(tree: CommittedTree, loop: Loop): Promise<void> {
    try {
      if (await this.#sign(tree)) return;
    } catch (error) {
      if (!isConnectionError(error) && !(error instanceof PublishFailed)) throw error;
    }
    await loop.idle(retryMs);
  }

  #grownTree(): CommittedTree | undefined {
    const { committed } = this.#options.sequencer;
    if (committed === undefined) return undefined;
    const signedSize = committed.epoch === this.#signed.epoch ? this.#signed.size : 0;
    return committed.size > signedSize ? committed : undefined;
  }

  /** False when it can't be signed now. */
  async #sign(tree: CommittedTree): Promise<boolean> {
    const { key, probe, sequencer, metrics, witness } = this.#options;
    if (!this.#isWitnessed(tree)) return false;
    const { epoch, size, root } = tree;
    const signer: NoteSigner = logSigner(key, epoch);
    const note = signCheckpoint({ origin: signer.name, size, root }, [signer]);
    probe?.('before witness');
    await witness?.write({ epoch, size, root, note });
    probe?.('before checkpoint');
    const stored = await this.#store({ epoch, size, root, note });
    if (stored === undefined) return false;
    probe?.('after checkpoint');
    this.#signed = { epoch, size };
    this.#signedAt = performance.now();
    metrics.checkpointKnown(stored.atMs);
    sequencer.signed(size, Date.now());
    return true;
  }

  /** A term that began while the witness could not be asked has to begin again when it can. */
  #isWitnessed({ isWitnessed }: CommittedTree): boolean {
    const { witness, sequencer } = this.#options;
    if (!isWitnessed && witness?.isReachable === true) sequencer.reload('the witness can be asked');
    return isWitnessed;
  }

  /** Undefined when the log has gone on to another epoch, or back. */
  async #store({ epoch, size, root, note }: SignedTree): Promise<{ atMs: number } | undefined> {
    const { database, sequencer } = this.#options;
    const [stored] = await database.query<{ root: Buffer; atMs: number }>(storeSql, [size, root, note, epoch]);
    if (stored === undefined) sequencer.reload('the log is not what was to be signed');
    else if (!stored.root.equals(root)) throw new LogDamaged(`another root is signed for size ${size}`);
    return stored;
  }
}

/** Nothing is signed that the log does not hold. The second branch sees a checkpoint that was there before. */
const storeSql = `
WITH here AS (
  SELECT era FROM tree WHERE epoch = $4 AND size - first_seq >= $1::bigint AND restored IS NULL
), stored AS (
  INSERT INTO checkpoint (era, size, root, note) SELECT era, $1::bigint, $2, $3 FROM here
  ON CONFLICT (era, size) DO NOTHING
  RETURNING root, at
)
SELECT root, (extract(epoch FROM at) * 1000)::float8 AS "atMs" FROM stored
UNION ALL
SELECT root, (extract(epoch FROM at) * 1000)::float8 FROM checkpoint JOIN here USING (era) WHERE size = $1::bigint
LIMIT 1`;
