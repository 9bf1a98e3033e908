import { createHash } from 'node:crypto';

/** A name as the 64-bit key that Postgres' advisory locks take, in decimal. */
export function advisoryKey(name: string): string {
  return createHash('sha256').update(name).digest().readBigInt64BE(0).toString();
}
