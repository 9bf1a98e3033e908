import type { PeerScope } from '@boardwire/contracts';

/** What each of the kit's sites is for, and what its invitation has to grant. */
export const roles = {
  first: { scopes: ['read', 'write', 'relay'], says: 'an honest member, whose feed is read' },
  second: { scopes: ['read', 'write', 'relay'], says: 'an honest member, who reads it' },
  forker: { scopes: ['read', 'write', 'relay'], says: 'says two things at one place; its feed ends frozen' },
  culprit: { scopes: ['read', 'write', 'relay'], says: 'brings bad items; it ends suspended' },
  eager: { scopes: ['read', 'write', 'relay'], says: 'begins a second epoch, and brings more than its rate' },
  reader: { scopes: ['read'], says: 'may only read' },
  writer: { scopes: ['write'], says: 'may only write its own' },
} as const satisfies Record<string, { scopes: readonly PeerScope[]; says: string }>;

export type Role = keyof typeof roles;
export const roleNames = Object.keys(roles) as Role[];
