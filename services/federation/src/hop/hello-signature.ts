import { canonicalBytes, preAuthenticationEncoding, verifyAsync, type VerifyingKey } from '@boardwire/signing';
import { HopError } from './hop-profile.ts';
import type { HopSigner } from './hop-signer.ts';
import { parseStrictJson } from './strict-json.ts';

/** DSSE payload type of a stream's first frame. */
const helloType = 'application/vnd.boardwire.hello+json';

/** Of which request a hello is the answer. */
export interface HelloBinding {
  from: string;
  to: string;
  /** The nonce of the request that opened the stream. */
  nonce: string;
}

/** As it travels: the bytes in base64url and the hop key's signature over their DSSE encoding. */
export interface SignedHello {
  h: string;
  kid: string;
  sig: string;
}

/** A stream's headers come before there is anything to digest, so its first frame proves who speaks, and to whom. */
export function signHello(
  signer: HopSigner,
  content: Record<string, unknown>,
  { to, nonce }: Omit<HelloBinding, 'from'>,
) {
  const bytes = canonicalBytes({ ...content, from: signer.site, to, nonce });
  return { h: bytes.toString('base64url'), ...signer.signBytes(preAuthenticationEncoding(helloType, bytes)) };
}

/**
 * What a hello says, when it is the answer of that site to that request.
 * @throws HopError `sig_invalid`
 */
export async function verifyHello(
  { h, sig }: SignedHello,
  { key, ...binding }: HelloBinding & { key: VerifyingKey | undefined },
): Promise<Record<string, unknown>> {
  const bytes = Buffer.from(h, 'base64url');
  const message = preAuthenticationEncoding(helloType, bytes);
  if (key === undefined || !(await verifyAsync(key, message, Buffer.from(sig, 'base64url')))) {
    throw new HopError('sig_invalid', 'the signature of the hello does not hold');
  }
  const content = parseStrictJson(bytes) as Record<string, unknown>;
  const isAnswer =
    content['from'] === binding.from && content['to'] === binding.to && content['nonce'] === binding.nonce;
  if (!isAnswer) throw new HopError('sig_invalid', 'the hello answers another request');
  return content;
}
