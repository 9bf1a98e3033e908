import { intersectFilterSets, mayPublish, type AccessClaims, type BoardGrant, type Role } from '@boardwire/contracts';

/** What a verified token says about its bearer. */
export interface Access {
  readonly userId: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly sessionId: string;
  readonly expiresMs: number;
  readonly grants: readonly BoardGrant[];
}

export function accessOf(claims: AccessClaims): Access {
  const { sub, name, roles, sid, exp, boards } = claims;
  return { userId: sub, name, roles, sessionId: sid, expiresMs: exp * 1_000, grants: boards };
}

export function isAdmin(access: Access): boolean {
  return access.roles.includes('admin');
}

/** Programs and administrators have the higher row of limits. */
export function isPublisher(access: Access): boolean {
  return access.roles.includes('publisher') || isAdmin(access);
}

/** What is left of the wanted filters; empty when nothing of it may be seen. */
export function readable(access: Access, board: string, wanted: readonly string[]): string[] {
  const granted = access.grants
    .filter((grant) => grant.board === '*' || grant.board === board)
    .flatMap((grant) => grant.subscribe);
  return intersectFilterSets(wanted, granted);
}

/** Whether anything of a board may be seen. */
export function maySee(access: Access, board: string): boolean {
  return readable(access, board, ['>']).length > 0;
}

export function mayWrite(access: Access, board: string, subject: string): boolean {
  return mayPublish(access.grants, board, subject);
}
