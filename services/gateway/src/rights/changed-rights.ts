import { roleSchema, type ChangedRights as Change, type Role } from '@boardwire/contracts';
import type { Access } from './access.ts';

/** Clocks of chat and of its database may differ by so much; a token of that time is given what the account has. */
const clockSlackMs = 30_000;
/** A socket opened by ticket outlives every token, so changes are kept by number, not by age. */
const keptMax = 50_000;

interface Kept extends Pick<Access, 'roles' | 'grants'> {
  atMs: number;
}

/** What accounts may do whose roles changed: it takes the place of what their older tokens say. */
export class ChangedRights {
  readonly #byUser = new Map<string, Kept>();

  /** @returns the users concerned. */
  learn(changes: readonly Change[]): string[] {
    return changes.flatMap(({ userId, at, roles, boards }) => {
      const atMs = Date.parse(at) || Date.now();
      const known = this.#byUser.get(userId);
      if (known !== undefined && known.atMs > atMs) return [];
      const isNews = known === undefined || known.atMs < atMs;
      this.#byUser.delete(userId);
      this.#byUser.set(userId, { atMs, roles: roles.filter(isRole), grants: boards });
      this.#trim();
      return isNews ? [userId] : [];
    });
  }

  /** The same access, or what has taken its place. */
  current(access: Access): Access {
    const changed = this.#byUser.get(access.userId);
    if (changed === undefined || access.issuedMs > changed.atMs + clockSlackMs) return access;
    return { ...access, roles: changed.roles, grants: changed.grants };
  }

  #trim(): void {
    for (const userId of this.#byUser.keys()) {
      if (this.#byUser.size <= keptMax) return;
      this.#byUser.delete(userId);
    }
  }
}

const isRole = (role: string): role is Role => roleSchema.safeParse(role).success;
