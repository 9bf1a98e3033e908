import {
  auditConsistencySchema,
  newestCheckpointSchema,
  type NewCosignature,
  type NewestCheckpoint,
} from '@boardwire/contracts';
import type { InternalClient } from '@boardwire/service-kit';

const base = '/internal/v1/witnesses';

/** This site's audit log, as far as witnesses go. Every call rejects with an AppError. */
export class OwnLog {
  constructor(private readonly audit: InternalClient) {}

  newest(signal: AbortSignal): Promise<NewestCheckpoint> {
    const path = `${base}/checkpoint`;
    return this.audit.request({ method: 'GET', path, route: path, schema: newestCheckpointSchema, signal });
  }

  /** The RFC 6962 proof between two sizes, base64. */
  async proof({ epoch, from, to }: { epoch: string; from: number; to: number }, signal: AbortSignal) {
    const { proof } = await this.audit.request({
      method: 'GET',
      path: `${base}/consistency?epoch=${encodeURIComponent(epoch)}&from=${from}&to=${to}`,
      route: `${base}/consistency`,
      schema: auditConsistencySchema,
      signal,
    });
    return proof.map((hash) => Buffer.from(hash, 'hex').toString('base64'));
  }

  /** Rejects with `invalid` for one that doesn't verify. */
  async keep(cosignature: NewCosignature, signal: AbortSignal): Promise<void> {
    const path = `${base}/cosignatures`;
    await this.audit.request({ method: 'POST', path, route: path, body: cosignature, signal });
  }
}
