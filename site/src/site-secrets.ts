import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { secretFile, type Environment } from '@boardwire/embedded';

/** What a site keeps secret, all in files of mode 0600 in its data folder. */
export interface SiteSecrets {
  /** Signs the tokens between services. */
  internal: string;
  /** Password of each role of the database, by schema; a schema's runner has one of its own. */
  database: Readonly<Record<string, string>>;
  admin: AdminPassword;
}

export interface AdminPassword {
  value: string;
  /** Where the user finds it. */
  place: string;
  /** Made by this very start: to be shown, once. */
  isNew: boolean;
}

export async function siteSecrets(dataDir: string, env: Environment, schemas: readonly string[]): Promise<SiteSecrets> {
  const folder = join(dataDir, 'secrets');
  const database: Record<string, string> = {};
  for (const schema of schemas) database[schema] = (await secretFile(join(folder, `database-${schema}`))).value;
  const internal = env['INTERNAL_SECRET'] || (await secretFile(join(folder, 'internal-secret'))).value;
  return { internal, database, admin: await adminPassword(folder, env) };
}

async function adminPassword(folder: string, env: Environment): Promise<AdminPassword> {
  const given = env['ADMIN_PASSWORD'];
  if (given) return { value: given, place: 'ADMIN_PASSWORD', isNew: false };
  const place = join(folder, 'admin-password');
  // Short enough to be typed, long enough not to be guessed: 96 bits.
  const { value, isNew } = await secretFile(place, () => randomBytes(12).toString('base64url'));
  return { value, place, isNew };
}
