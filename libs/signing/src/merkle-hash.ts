import { createHash } from 'node:crypto';

export const hashBytes = 32;

/** The root of the empty tree: SHA-256 of nothing (RFC 6962, 2.1). */
export const emptyRoot: Buffer = createHash('sha256').digest();

const leafPrefix = Buffer.from([0x00]);

/** SHA-256(0x00 ‖ record): the prefix keeps a leaf from being passed off as an inner node. */
export function leafHash(record: Uint8Array): Buffer {
  return createHash('sha256').update(leafPrefix).update(record).digest();
}

/** SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  const input = Buffer.allocUnsafe(1 + 2 * hashBytes);
  input[0] = 0x01;
  input.set(left, 1);
  input.set(right, 1 + hashBytes);
  return createHash('sha256').update(input).digest();
}
