import type { User } from '@boardwire/contracts';

/** Whether the site lets this account decide about other sites. What it really answers is the site's own decision. */
export function mayAdminister(user: User | undefined): boolean {
  return user?.roles.includes('admin') ?? false;
}

/** Whether the site lets this account read the audit log. What it really answers is the site's own decision. */
export function mayReadAudit(user: User | undefined): boolean {
  return user?.roles.some((role) => role === 'auditor' || role === 'admin') ?? false;
}
