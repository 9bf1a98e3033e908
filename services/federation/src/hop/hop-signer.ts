import { federationLimits } from '@boardwire/contracts';
import type { SigningKey } from '@boardwire/signing';
import { randomBytes } from 'node:crypto';
import { contentDigest } from './content-digest.ts';
import {
  answerCoverText,
  formatParameters,
  hopProtocol,
  requestCoverText,
  signatureHeaders,
  type SignatureParameters,
} from './hop-profile.ts';
import { answerBase, requestBase } from './signature-base.ts';

export interface RequestToSign {
  method: string;
  /** Absolute, or path and query. */
  url: string;
  body?: Uint8Array;
  contentType?: string;
  /** The receiver's site id. */
  destination: string;
}

export interface AnswerToSign {
  status: number;
  body: Uint8Array;
  contentType: string;
  /** Text of the signature of the request that is answered. */
  requestSignature: string;
}

export interface HopSignerOptions {
  site: string;
  keyId: string;
  key: SigningKey;
  now?: () => number;
  nonce?: () => string;
}

const jsonType = 'application/json';
const noBody = new Uint8Array();

/** Speaks for this site to one peer at a time: signs requests and answers with the hop key. */
export class HopSigner {
  readonly site: string;
  #keyId: string;
  #key: SigningKey;
  readonly #now: () => number;
  readonly #nonce: () => string;

  constructor({ site, keyId, key, now = Date.now, nonce = newNonce }: HopSignerOptions) {
    this.site = site;
    this.#keyId = keyId;
    this.#key = key;
    this.#now = now;
    this.#nonce = nonce;
  }

  /** Signs with this key from now on. */
  use({ keyId, key }: Pick<HopSignerOptions, 'keyId' | 'key'>): void {
    this.#keyId = keyId;
    this.#key = key;
  }

  /** The headers to add; send them, this body and this target exactly as they are, and every repeat signed anew. */
  sign({ method, url, body = noBody, contentType = jsonType, destination }: RequestToSign): Record<string, string> {
    const headers = {
      'content-digest': contentDigest(body),
      'content-type': contentType,
      'bf-destination': destination,
      'bf-protocol': hopProtocol,
    };
    const request = { method, target: targetOf(url), headers, body };
    const parametersText = formatParameters(requestCoverText, this.#parameters());
    return { ...headers, ...signatureHeaders(parametersText, this.#key.sign(requestBase(request, parametersText))) };
  }

  /** The headers of an answer, bound to the request that it answers. */
  signAnswer({ status, body, contentType, requestSignature }: AnswerToSign): Record<string, string> {
    const headers = { 'content-digest': contentDigest(body), 'content-type': contentType };
    const parametersText = formatParameters(answerCoverText, this.#parameters());
    const base = answerBase({ status, headers, requestSignature }, parametersText);
    return { ...headers, ...signatureHeaders(parametersText, this.#key.sign(base)) };
  }

  /** For what travels inside a body, such as a stream's `hello`. */
  signBytes(message: Uint8Array): { kid: string; sig: string } {
    return { kid: this.#keyId, sig: this.#key.sign(message).toString('base64url') };
  }

  #parameters(): SignatureParameters {
    const created = Math.floor(this.#now() / 1_000);
    const expires = created + federationLimits.signatureLifetimeMs / 1_000;
    return { created, expires, nonce: this.#nonce(), site: this.site, kid: this.#keyId };
  }
}

function targetOf(url: string): string {
  if (url.startsWith('/')) return url;
  const { pathname, search } = new URL(url);
  return pathname + search;
}

function newNonce(): string {
  return randomBytes(16).toString('hex');
}
