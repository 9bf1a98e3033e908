import { limits, type Revocation } from '@boardwire/contracts';

/** A token outlives its revocation's row by no more than clocks may differ. */
const keptMs = limits.accessTokenMs + 5 * 60_000;

/** Sessions that have ended, as chat's sync tells. Kept as long as a token of theirs could still be shown. */
export class Revocations {
  readonly #until = new Map<string, number>();
  readonly #listeners = new Set<(sessionId: string) => void>();

  onRevoked(listener: (sessionId: string) => void): void {
    this.#listeners.add(listener);
  }

  isRevoked(sessionId: string): boolean {
    return this.#until.has(sessionId);
  }

  add(revocations: readonly Revocation[]): void {
    if (revocations.length === 0) return;
    this.#forgetOld();
    for (const { sessionId, at } of revocations) {
      if (this.#until.has(sessionId)) continue;
      this.#until.set(sessionId, (Date.parse(at) || Date.now()) + keptMs);
      for (const listener of this.#listeners) listener(sessionId);
    }
  }

  #forgetOld(): void {
    const now = Date.now();
    for (const [sessionId, until] of this.#until) if (until < now) this.#until.delete(sessionId);
  }
}
