import { verifyAsync, type VerifyingKey } from '@boardwire/signing';
import { checkDigest } from './content-digest.ts';
import {
  answerCoverText,
  checkTimes,
  hopProtocol,
  HopError,
  readSignature,
  requestCoverText,
  signatureText,
  type HopSignature,
} from './hop-profile.ts';
import type { NonceStore } from './nonce-store.ts';
import { answerBase, oneValue, requestBase, type HopHeaders, type HopRequest } from './signature-base.ts';

/** Finds the hop key in force of another site. */
export interface HopKeyring {
  hopKey(site: string, kid: string): Promise<VerifyingKey | undefined>;
}

/** Who sent a request, once it is proven. */
export interface VerifiedHop {
  site: string;
  kid: string;
  nonce: string;
  /** Text of the signature, which the answer is bound to. */
  signature: string;
  /** How far the sender's clock is ahead of ours, roughly. */
  clockOffsetMs: number;
}

export interface HopVerifierOptions {
  /** The own site id: what requests must be addressed to. */
  site: string;
  keys: HopKeyring;
  nonces: NonceStore;
  now?: () => number;
}

/** Judges hop signatures: the profile of BF/1 exactly, in the order that costs a forger most and us least. */
export class HopVerifier {
  readonly #site: string;
  readonly #keys: HopKeyring;
  readonly #nonces: NonceStore;
  readonly #now: () => number;

  constructor({ site, keys, nonces, now = Date.now }: HopVerifierOptions) {
    this.#site = site;
    this.#keys = keys;
    this.#nonces = nonces;
    this.#now = now;
  }

  /**
   * Who a request claims to be from, before its body is read: for the gates that come first. Proves nothing.
   * @throws HopError for headers that could not pass whatever the body is.
   */
  claim(headers: HopHeaders): HopSignature {
    const input = oneValue(headers, 'signature-input');
    const claim = readSignature(requestCoverText, input, oneValue(headers, 'signature'));
    for (const name of ['content-digest', 'content-type', 'bf-protocol']) oneValue(headers, name);
    if (oneValue(headers, 'bf-destination') !== this.#site) {
      throw new HopError('wrong_destination', 'signed for another site');
    }
    if (oneValue(headers, 'bf-protocol') !== hopProtocol) throw new HopError('sig_invalid', 'another protocol');
    checkTimes(claim, this.#now());
    return claim;
  }

  /**
   * Proves a request by its raw bytes; call it before parsing any of them, and once: its nonce is used up by it.
   * @throws HopError
   */
  async verify(request: HopRequest): Promise<VerifiedHop> {
    const claim = this.claim(request.headers);
    checkDigest(oneValue(request.headers, 'content-digest'), request.body);
    return this.#prove(request, claim);
  }

  /**
   * Proves who sent a request before its body is read, once: its nonce is used up by it. Nothing is said of the body, which
   * has to pass {@link checkBody} before it is parsed.
   * @throws HopError
   */
  verifyHead(request: Omit<HopRequest, 'body'>): Promise<VerifiedHop> {
    return this.#prove(request, this.claim(request.headers));
  }

  async #prove(request: Omit<HopRequest, 'body'>, claim: HopSignature): Promise<VerifiedHop> {
    await this.#checkSignature(requestBase(request, claim.parametersText), claim);
    // Last, so that only what a peer has really signed can fill the table.
    if (!(await this.#nonces.remember(claim.site, claim.nonce))) {
      throw new HopError('nonce_replayed', 'this nonce was used before');
    }
    return this.#verified(claim);
  }

  /**
   * Proves that `answer` is the one of `from` to the request whose signature headers these are.
   * @throws HopError
   */
  async verifyAnswer(
    answer: { status: number; headers: HopHeaders; body: Uint8Array },
    { from, requestHeaders }: { from: string; requestHeaders: HopHeaders },
  ): Promise<VerifiedHop> {
    const input = oneValue(answer.headers, 'signature-input');
    const claim = readSignature(answerCoverText, input, oneValue(answer.headers, 'signature'));
    if (claim.site !== from) throw new HopError('sig_invalid', 'answered by another site');
    checkTimes(claim, this.#now());
    checkDigest(oneValue(answer.headers, 'content-digest'), answer.body);
    const asked = readSignature(
      requestCoverText,
      oneValue(requestHeaders, 'signature-input'),
      oneValue(requestHeaders, 'signature'),
    );
    const bound = { ...answer, requestSignature: signatureText(asked.signature) };
    await this.#checkSignature(answerBase(bound, claim.parametersText), claim);
    return this.#verified(claim);
  }

  async #checkSignature(base: Buffer, { site, kid, signature }: HopSignature): Promise<void> {
    const key = await this.#keys.hopKey(site, kid);
    // An unknown key and a wrong signature are one answer: nobody learns here which sites we know.
    if (key === undefined || !(await verifyAsync(key, base, signature))) {
      throw new HopError('sig_invalid', 'the signature does not hold');
    }
  }

  #verified({ site, kid, nonce, signature, created }: HopSignature): VerifiedHop {
    return { site, kid, nonce, signature: signatureText(signature), clockOffsetMs: created * 1_000 - this.#now() };
  }
}

/** Whether a body is the one of a request that {@link HopVerifier.verifyHead} has proven. @throws HopError */
export function checkBody(headers: HopHeaders, body: Uint8Array): void {
  checkDigest(oneValue(headers, 'content-digest'), body);
}
