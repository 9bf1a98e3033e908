import { encodeIdentity } from '@boardwire/contracts';
import type { Access } from '../rights/access.ts';

/** The identity header of a request that is passed on for someone. */
export function accountIdentity(access: Access, address?: string): string {
  const { userId, name, roles, sessionId, grants } = access;
  return encodeIdentity({
    userId,
    name,
    roles: [...roles],
    sessionId,
    boards: [...grants],
    ...(address === undefined ? {} : { address }),
  });
}
