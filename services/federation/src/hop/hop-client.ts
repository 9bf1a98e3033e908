import { DialError } from '../dialing/dial-error.ts';
import type { Dialer, DialHeaders, DialStream } from '../dialing/dialer.ts';
import { inflate } from '../dialing/inflate.ts';
import { readSignature, requestCoverText } from './hop-profile.ts';
import type { HopSigner } from './hop-signer.ts';
import type { HopVerifier, VerifiedHop } from './hop-verifier.ts';
import { oneValue } from './signature-base.ts';
import { parseStrictJson } from './strict-json.ts';

export interface HopCall {
  method: 'GET' | 'POST';
  url: string;
  /** The peer's site id. */
  destination: string;
  body?: Uint8Array;
  contentType?: string;
  /** Of the answer, decoded. */
  bytesMax: number;
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface HopAnswer {
  status: number;
  headers: DialHeaders;
  /** Strictly parsed; undefined for an empty body. */
  json: unknown;
  hop: VerifiedHop;
}

/** Asks peers: each request is signed, and no answer counts before it has proven whose it is and what it answers. */
export class HopClient {
  readonly #dialer: Dialer;
  readonly #signer: HopSigner;
  readonly #verifier: HopVerifier;

  constructor(parts: { dialer: Dialer; signer: HopSigner; verifier: HopVerifier }) {
    this.#dialer = parts.dialer;
    this.#signer = parts.signer;
    this.#verifier = parts.verifier;
  }

  /**
   * One request, one signed answer, whatever its status.
   * @throws DialError; HopError for an answer that isn't the peer's; StrictJsonError
   */
  async call(call: HopCall): Promise<HopAnswer> {
    const headers = this.#signer.sign(call);
    const { status, headers: answered, raw } = await this.#dialer.request({ ...call, headers });
    const binding = { from: call.destination, requestHeaders: headers };
    const hop = await this.#verifier.verifyAnswer({ status, headers: answered, body: raw }, binding);
    const body = await inflate(raw, encodingOf(answered), call.bytesMax);
    return { status, headers: answered, json: body.length === 0 ? undefined : parseStrictJson(body), hop };
  }

  /**
   * Opens a stream. Its first frame has to be a hello that {@link verifyHello} takes for `nonce`; until then nothing in it
   * is proven, and neither is a refusal.
   */
  async open(call: Omit<HopCall, 'bytesMax'> & { idleMs?: number }): Promise<DialStream & { nonce: string }> {
    const headers = this.#signer.sign(call);
    const stream = await this.#dialer.open({ ...call, headers });
    const { nonce } = readSignature(
      requestCoverText,
      oneValue(headers, 'signature-input'),
      oneValue(headers, 'signature'),
    );
    return { ...stream, nonce };
  }
}

function encodingOf(headers: DialHeaders): string | undefined {
  const value = headers['content-encoding'];
  if (typeof value === 'object') throw new DialError('bad_encoding', 'encoded several times');
  return value;
}
