import type { federationErrorTable } from '@boardwire/contracts';
import { federationLimits } from '@boardwire/contracts';

/** The value of `bf-protocol`, and the tag of every hop signature. */
export const hopProtocol = 'boardwire-fed/1';
/** The one label that a hop signature has. */
export const signatureLabel = 'bw';

/** What a request's signature covers, in this order, always all of it. */
export const requestComponents = [
  '@method',
  '@path',
  '@query',
  'content-digest',
  'content-type',
  'bf-destination',
  'bf-protocol',
] as const;

const requestCover = requestComponents.map((name) => `"${name}"`);
/** An answer's signature covers the request's too, and so answers that request of that sender alone. */
export const answerComponents = [
  '"@status"',
  '"content-digest"',
  '"content-type"',
  `"signature";req;key="${signatureLabel}"`,
];

export const requestCoverText = `(${requestCover.join(' ')})`;
export const answerCoverText = `(${answerComponents.join(' ')})`;

/** Why a signature was not taken; each is a code of the federation wire. */
export type HopFailure = Extract<
  keyof typeof federationErrorTable,
  | 'sig_missing'
  | 'sig_invalid'
  | 'sig_expired'
  | 'nonce_replayed'
  | 'clock_skew'
  | 'wrong_destination'
  | 'digest_mismatch'
>;

export class HopError extends Error {
  override readonly name = 'HopError';
  readonly failure: HopFailure;

  constructor(failure: HopFailure, detail: string) {
    super(detail);
    this.failure = failure;
  }
}

export interface SignatureParameters {
  /** Seconds since the Unix epoch. */
  created: number;
  expires: number;
  /** 32 hex digits. */
  nonce: string;
  /** The site that signs, and its key. */
  site: string;
  kid: string;
}

export interface HopSignature extends SignatureParameters {
  signature: Buffer;
  /** `@signature-params` as they were sent. */
  parametersText: string;
}

export function formatParameters(cover: string, { created, expires, nonce, site, kid }: SignatureParameters): string {
  const keyId = `${site}/${kid}`;
  return `${cover};created=${created};expires=${expires};nonce="${nonce}";keyid="${keyId}";alg="ed25519";tag="${hopProtocol}"`;
}

/** The values of `signature-input` and `signature`. */
export function signatureHeaders(parametersText: string, signature: Uint8Array) {
  return {
    'signature-input': `${signatureLabel}=${parametersText}`,
    signature: `${signatureLabel}=${signatureText(signature)}`,
  };
}

/** A signature as RFC 9421 writes it where another one covers it. */
export function signatureText(signature: Uint8Array): string {
  return `:${Buffer.from(signature).toString('base64')}:`;
}

// RFC 9421 allows many spellings of one signature. The profile has one, so there is nothing two parsers can differ about:
// one label, this order of components and parameters, no blanks, hence never a second signature.
const parametersShape = new RegExp(
  String.raw`^;created=(\d{1,12});expires=(\d{1,12});nonce="([0-9a-f]{32})"` +
    String.raw`;keyid="(bs1[a-z2-7]{52})/([A-Za-z0-9_-]{1,64})";alg="ed25519";tag="${hopProtocol}"$`,
);
const signatureShape = new RegExp(`^${signatureLabel}=:([A-Za-z0-9+/]{86}==):$`);

/**
 * Reads the two headers; they must be the profile to the letter.
 * @throws HopError `sig_invalid`
 */
export function readSignature(cover: string, input: string, signature: string): HopSignature {
  const prefix = `${signatureLabel}=${cover}`;
  const found = input.startsWith(prefix) ? parametersShape.exec(input.slice(prefix.length)) : null;
  const [, created, expires, nonce = '', site = '', kid = ''] = found ?? [];
  const base64 = signatureShape.exec(signature)?.[1];
  if (found === null || base64 === undefined) throw new HopError('sig_invalid', 'not one signature of the profile');
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64') !== base64) throw new HopError('sig_invalid', 'not canonical base64');
  return {
    created: Number(created),
    expires: Number(expires),
    nonce,
    site,
    kid,
    signature: bytes,
    parametersText: input.slice(`${signatureLabel}=`.length),
  };
}

/** @throws HopError when it was made too far from now, or is valid for longer than may be. */
export function checkTimes({ created, expires }: SignatureParameters, nowMs: number): void {
  const lifetimeMs = (expires - created) * 1_000;
  if (lifetimeMs <= 0 || lifetimeMs > federationLimits.signatureLifetimeMs) {
    throw new HopError('sig_invalid', 'valid for longer than a signature may be');
  }
  const aheadMs = created * 1_000 - nowMs;
  if (aheadMs > federationLimits.clockSkewMs) {
    throw new HopError('clock_skew', `made ${Math.round(aheadMs / 1_000)} s ahead of our clock`);
  }
  // A late request and a slow clock look the same from here, so the tolerance counts for both.
  const lateMs = nowMs - expires * 1_000;
  if (lateMs > federationLimits.clockSkewMs) {
    throw new HopError('sig_expired', `expired ${Math.round(lateMs / 1_000)} s ago by our clock`);
  }
}
