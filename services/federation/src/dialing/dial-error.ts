export type DialFailure =
  | 'bad_url'
  | 'address_refused'
  | 'unresolved'
  | 'unreachable'
  | 'redirected'
  | 'too_large'
  | 'inflated'
  | 'bad_encoding'
  | 'timed_out';

/** Why a peer was not asked, or its answer not taken. */
export class DialError extends Error {
  override readonly name = 'DialError';
  readonly failure: DialFailure;

  constructor(failure: DialFailure, detail: string, cause?: unknown) {
    super(detail, { cause });
    this.failure = failure;
  }
}
