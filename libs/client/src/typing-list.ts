import type { PresentUser } from '@boardwire/contracts';

/** Somebody who types on a subject. */
export interface Typist {
  subject: string;
  user: PresentUser;
}

/** It is told again every second while it lasts; one that was lost must not type for ever. */
const runsOutMs = 5_000;

/** Who types, from what the site tells. */
export class TypingList {
  readonly #onChange: (typists: readonly Typist[]) => void;
  readonly #typists = new Map<string, { typist: Typist; runsOut: ReturnType<typeof setTimeout> }>();

  constructor(onChange: (typists: readonly Typist[]) => void) {
    this.#onChange = onChange;
  }

  heard({ subject, user, on }: Typist & { on: boolean }): void {
    const key = `${subject} ${user.id}`;
    const known = this.#typists.get(key);
    clearTimeout(known?.runsOut);
    if (!on) {
      if (this.#typists.delete(key)) this.#tell();
      return;
    }
    const runsOut = setTimeout(() => this.heard({ subject, user, on: false }), runsOutMs);
    this.#typists.set(key, { typist: { subject, user }, runsOut });
    if (known === undefined) this.#tell();
  }

  clear(): void {
    if (this.#typists.size === 0) return;
    for (const { runsOut } of this.#typists.values()) clearTimeout(runsOut);
    this.#typists.clear();
    this.#tell();
  }

  #tell(): void {
    this.#onChange([...this.#typists.values()].map(({ typist }) => typist));
  }
}
