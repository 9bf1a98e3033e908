/** What a shell sees of a verdict. */
export const exitCodes = { verified: 0, refuted: 1, unknown: 2 } as const;
export type Verdict = keyof typeof exitCodes;

/** What was given is proven not to be what it claims. `evidence` are texts to keep: both notes of a fork, for example. */
export class Refuted extends Error {
  override name = 'Refuted';
  constructor(
    message: string,
    readonly evidence: readonly string[] = [],
  ) {
    super(message);
  }
}

/** Something that is needed is not there, or was not asked for rightly: nothing is proven either way. */
export class CannotTell extends Error {
  override name = 'CannotTell';
}
