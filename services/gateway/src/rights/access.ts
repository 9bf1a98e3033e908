import type { AccessClaims, BoardGrant, Role } from '@boardwire/contracts';

/** What a verified token says about its bearer. */
export interface Access {
  readonly userId: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly sessionId: string;
  /** When it was given: what changed for its account later takes the place of its roles and grants. */
  readonly issuedMs: number;
  readonly expiresMs: number;
  readonly grants: readonly BoardGrant[];
}

export function accessOf(claims: AccessClaims): Access {
  const { sub, name, roles, sid, iat, exp, boards } = claims;
  return { userId: sub, name, roles, sessionId: sid, issuedMs: iat * 1_000, expiresMs: exp * 1_000, grants: boards };
}

export function isAdmin(access: Access): boolean {
  return access.roles.includes('admin');
}

/** Programs and administrators have the higher row of limits. */
export function isPublisher(access: Access): boolean {
  return access.roles.includes('publisher') || isAdmin(access);
}
