import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '@boardwire/embedded';
import type { ServiceSpec } from './hosted-service.ts';
import { serviceKinds, type ServiceKind } from './service-name.ts';

export type ServiceSettings = Partial<Record<ServiceKind, Environment>>;

const pathIn = (dataDir: string) => join(dataDir, 'secrets', 'services.json');

/**
 * What the site has told each kind of service beyond the user's own settings: addresses and secrets, for the operator's
 * commands. As secret as the files beside it.
 */
export async function writeServicesFile(
  dataDir: string,
  specs: readonly ServiceSpec[],
  own: Environment,
): Promise<void> {
  const settings: ServiceSettings = {};
  for (const kind of serviceKinds) {
    const env = specs.find((spec) => spec.kind === kind)?.env ?? {};
    settings[kind] = Object.fromEntries(
      Object.entries(env).flatMap(([key, value]) => (value === own[key] ? [] : [[key, value ?? '']])),
    );
  }
  const path = pathIn(dataDir);
  await writeFile(`${path}.new`, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** Undefined where no site was ever started. */
export async function readServicesFile(dataDir: string): Promise<ServiceSettings | undefined> {
  try {
    return JSON.parse(await readFile(pathIn(dataDir), 'utf8')) as ServiceSettings;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
