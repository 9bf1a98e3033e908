import { isConnectionError, type Database } from '@boardwire/database';
import type { Logger, Loop } from '@boardwire/service-kit';
import { signCheckpoint, type NoteSigner } from '@boardwire/signing';
import type { AuditMetrics } from '../metrics.ts';
import { logSigner, type CheckpointKey } from './checkpoint-key.ts';
import { LogDamaged } from './log-store.ts';
import type { CommittedTree, Probe, Sequencer } from './sequencer.ts';

export interface CheckpointerOptions {
  database: Database;
  sequencer: Sequencer;
  key: CheckpointKey;
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
  #signedSize = 0;
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
    if (grown !== undefined) await this.#sign(grown);
  }

  async #signOrWait(tree: CommittedTree, loop: Loop): Promise<void> {
    try {
      await this.#sign(tree);
    } catch (error) {
      if (!isConnectionError(error)) throw error;
      await loop.idle(retryMs);
    }
  }

  #grownTree(): CommittedTree | undefined {
    const { committed } = this.#options.sequencer;
    return committed !== undefined && committed.size > this.#signedSize ? committed : undefined;
  }

  async #sign({ epoch, size, root }: CommittedTree): Promise<void> {
    const { database, key, probe, sequencer, metrics } = this.#options;
    const signer: NoteSigner = logSigner(key, epoch);
    const note = signCheckpoint({ origin: signer.name, size, root }, [signer]);
    probe?.('before checkpoint');
    const [stored] = await database.query<{ root: Buffer; atMs: number }>(storeSql, [size, root, note]);
    if (stored === undefined) throw new Error(`the log is shorter than ${size}`);
    if (!stored.root.equals(root)) throw new LogDamaged(`another root is signed for size ${size}`);
    probe?.('after checkpoint');
    this.#signedSize = size;
    this.#signedAt = performance.now();
    metrics.checkpointKnown(stored.atMs);
    sequencer.signed(size, Date.now());
  }
}

/** Nothing is signed that the log does not hold. The second branch sees a checkpoint that was there before. */
const storeSql = `
WITH stored AS (
  INSERT INTO checkpoint (size, root, note)
  SELECT $1::bigint, $2, $3 FROM tree WHERE size >= $1::bigint
  ON CONFLICT (size) DO NOTHING
  RETURNING root, at
)
SELECT root, (extract(epoch FROM at) * 1000)::float8 AS "atMs" FROM stored
UNION ALL
SELECT root, (extract(epoch FROM at) * 1000)::float8 FROM checkpoint WHERE size = $1::bigint
LIMIT 1`;
