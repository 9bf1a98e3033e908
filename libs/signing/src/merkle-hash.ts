import { hash } from 'node:crypto';

export const hashBytes = 32;

/** The root of the empty tree: SHA-256 of nothing (RFC 6962, 2.1). */
export const emptyRoot: Buffer = hash('sha256', '', 'buffer');

// In one call: a hash object costs more than the hash of so few bytes, and leaves a native handle to the collector.

/**
 * SHA-256(0x00 ‖ record): the prefix keeps a leaf from being passed off as an inner node. A string stands for its UTF-8
 * bytes.
 */
export function leafHash(record: Uint8Array | string): Buffer {
  if (typeof record === 'string') return hash('sha256', `\0${record}`, 'buffer');
  const input = Buffer.allocUnsafe(1 + record.length);
  input[0] = 0x00;
  input.set(record, 1);
  return hash('sha256', input, 'buffer');
}

/** SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  const input = Buffer.allocUnsafe(1 + 2 * hashBytes);
  input[0] = 0x01;
  input.set(left, 1);
  input.set(right, 1 + hashBytes);
  return hash('sha256', input, 'buffer');
}
