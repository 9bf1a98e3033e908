import { createHash, timingSafeEqual } from 'node:crypto';
import { HopError } from './hop-profile.ts';

const shape = /^sha-256=:([A-Za-z0-9+/]{43}=):$/;

/** `content-digest` (RFC 9530) of a body's bytes as they travel; an absent body has the digest of no bytes. */
export function contentDigest(body: Uint8Array): string {
  return `sha-256=:${sha256(body).toString('base64')}:`;
}

/** @throws HopError `digest_mismatch` unless `header` is exactly the SHA-256 of these bytes. */
export function checkDigest(header: string, body: Uint8Array): void {
  const base64 = shape.exec(header)?.[1];
  const given = Buffer.from(base64 ?? '', 'base64');
  const holds = given.length === 32 && given.toString('base64') === base64 && timingSafeEqual(given, sha256(body));
  if (!holds) throw new HopError('digest_mismatch', 'the content digest is not the SHA-256 of the body');
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
