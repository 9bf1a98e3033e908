import type { SigningKey, VerifyingKey } from './keys.ts';

/** A signed payload: payload and signatures are base64url without padding. */
export interface Envelope {
  payloadType: string;
  payload: string;
  signatures: { keyid: string; sig: string }[];
}

/**
 * DSSE pre-authentication encoding: `DSSEv1 <len(type)> <type> <len(payload)> <payload>`. It binds the payload to its
 * type, so that bytes signed for one purpose are worth nothing for another.
 */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType, 'utf8');
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} `), type, Buffer.from(` ${payload.length} `), payload]);
}

/** Signs a payload for its type with each key. */
export function signEnvelope(
  payloadType: string,
  payload: Uint8Array,
  signers: readonly { keyid: string; key: SigningKey }[],
): Envelope {
  const message = preAuthenticationEncoding(payloadType, payload);
  return {
    payloadType,
    payload: Buffer.from(payload).toString('base64url'),
    signatures: signers.map(({ keyid, key }) => ({ keyid, sig: key.sign(message).toString('base64url') })),
  };
}

/**
 * The payload bytes when one of the envelope's signatures is `key`'s over exactly this type and payload, else undefined.
 * `keyid` in an envelope is a hint and is not trusted: every signature is tried.
 */
export function verifyEnvelope(envelope: Envelope, payloadType: string, key: VerifyingKey): Buffer | undefined {
  if (envelope.payloadType !== payloadType) return undefined;
  const payload = Buffer.from(envelope.payload, 'base64url');
  const message = preAuthenticationEncoding(payloadType, payload);
  const isSigned = envelope.signatures.some(({ sig }) => key.verify(message, Buffer.from(sig, 'base64url')));
  return isSigned ? payload : undefined;
}
