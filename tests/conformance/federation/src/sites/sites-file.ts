import { readFileSync, writeFileSync } from 'node:fs';
import { decodeInvitation, type Invitation } from '@boardwire/contracts';
import { importSigningKey } from '@boardwire/signing';
import type { Guest } from '../kit.ts';
import { ForeignSite, keyUses, type KeyUse } from './foreign-site.ts';
import { roleNames, roles, type Role } from './roles.ts';

/** As it stands in the file: keys first, and the line that the operator of the site under test adds. */
interface StoredSite {
  role: Role;
  site: string;
  scopes: readonly string[];
  seeds: Record<KeyUse, string>;
  invitation: string;
}

const nowhere = `br1${'a'.repeat(52)}`;

/** New sites with keys of their own; whoever can read the file can speak for them. */
export function writeSites(path: string): StoredSite[] {
  const sites = roleNames.map((role): StoredSite => {
    const site = new ForeignSite(nowhere);
    const seeds = Object.fromEntries(keyUses.map((use) => [use, site[use].exportSeed().toString('base64url')]));
    return { role, site: site.id, scopes: roles[role].scopes, seeds: seeds as StoredSite['seeds'], invitation: '' };
  });
  writeFileSync(path, `${JSON.stringify(sites, undefined, 2)}\n`, { mode: 0o600 });
  return sites;
}

export function readSites(path: string): Map<Role, Guest> {
  const stored = JSON.parse(readFileSync(path, 'utf8')) as StoredSite[];
  return new Map(stored.map((site) => [site.role, guestOf(site)]));
}

function guestOf({ role, seeds, invitation: line }: StoredSite): Guest {
  const invitation = line === '' ? undefined : decodeInvitation(line);
  if (line !== '' && invitation === undefined) throw new Error(`what “${role}” has is no invitation`);
  const keys = Object.fromEntries(keyUses.map((use) => [use, importSigningKey(Buffer.from(seeds[use], 'base64url'))]));
  return guestWith(role, invitation, keys);
}

export function guestWith(role: Role, invitation: Invitation | undefined, keys: ConstructorKeys = {}): Guest {
  const site = new ForeignSite(invitation?.room ?? nowhere, { name: `Conformance ${role}`, keys });
  return invitation === undefined ? { site } : { site, invitation };
}

type ConstructorKeys = NonNullable<NonNullable<ConstructorParameters<typeof ForeignSite>[1]>['keys']>;

/** Invitations that name no site, given to the roles that they are enough for. */
export function assignInvitations(lines: readonly string[]): Map<Role, Guest> {
  const left = lines.map((line) => {
    const invitation = decodeInvitation(line);
    if (invitation === undefined) throw new Error(`no invitation: ${line.slice(0, 20)}…`);
    return invitation;
  });
  const guests = new Map<Role, Guest>();
  for (const role of roleNames) {
    const wanted = [...roles[role].scopes].toSorted().join(' ');
    const at = left.findIndex(({ scopes }) => [...scopes].toSorted().join(' ') === wanted);
    guests.set(role, guestWith(role, at < 0 ? undefined : left.splice(at, 1)[0]));
  }
  return guests;
}
