import { createHash } from 'node:crypto';
import { encodeBase32 } from './base32.ts';

const idCharacters = 16;

/** Names a log by the key that signs its checkpoints: whoever has another key has another log. */
export function logIdOf(publicKey: Uint8Array): string {
  return encodeBase32(createHash('sha256').update(publicKey).digest()).slice(0, idCharacters);
}

/**
 * The origin of one epoch of an audit log. The epoch is part of it: a log that had to start over signs under another name,
 * so that it can't be taken for a fork of the former.
 */
export function auditLogOrigin(publicKey: Uint8Array, epoch: string): string {
  return `boardwire/audit/${logIdOf(publicKey)}/${epoch}`;
}

/** Whether an origin is that of an epoch of the log with this key. */
export function isAuditLogOrigin(origin: string, publicKey: Uint8Array): boolean {
  const epoch = origin.slice(origin.lastIndexOf('/') + 1);
  return /^[a-z2-7]{1,16}$/.test(epoch) && origin === auditLogOrigin(publicKey, epoch);
}
