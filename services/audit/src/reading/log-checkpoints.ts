import type { AuditCheckpoints } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import { logSpan } from './log-spans.ts';
import {
  newestCheckpoint,
  newestCheckpoints,
  type StoredCheckpoint,
  type WantedCheckpoint,
} from './stored-checkpoints.ts';

/** Signed checkpoints that are stored, of the epoch that is written or of a former one. */
export class LogCheckpoints {
  constructor(private readonly database: Database) {}

  /** The newest, or the one of a size; undefined when nothing like it was signed. */
  async one({ epoch, ...wanted }: WantedCheckpoint & { epoch?: string | undefined }) {
    const { era } = await logSpan(this.database, epoch);
    return newestCheckpoint(this.database, era, wanted);
  }

  async newest({ limit, epoch }: { limit: number; epoch?: string | undefined }): Promise<AuditCheckpoints> {
    const { era } = await logSpan(this.database, epoch);
    const rows: StoredCheckpoint[] = await newestCheckpoints(this.database, era, limit);
    return {
      checkpoints: rows.map(({ size, root, atMs, note }) => ({
        size,
        root: root.toString('hex'),
        at: new Date(atMs).toISOString(),
        note,
      })),
    };
  }
}
