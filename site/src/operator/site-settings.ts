import { readFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import type { Environment } from '@boardwire/embedded';
import { dataFolder } from '../data-folder.ts';
import { serviceKinds, type ServiceKind } from '../service-name.ts';
import { readServicesFile } from '../services-file.ts';
import { Misuse } from './misuse.ts';

/** What each service of the site is told. */
export interface SiteSettings {
  /** Only of a site that npm start runs. */
  dataDir?: string;
  envOf(kind: ServiceKind): Environment;
}

export interface WhichSite {
  data?: unknown;
  name?: unknown;
  'env-file'?: unknown;
  env?: unknown;
}

/** @throws Misuse when there is no such site */
export async function readSettings(which: WhichSite, env: Environment): Promise<SiteSettings> {
  if (which.env === true) return { envOf: () => env };
  if (typeof which['env-file'] === 'string') return fromFile(which['env-file'], env);
  const given = typeof which.data === 'string' ? { ...env, BOARDWIRE_DATA: which.data } : env;
  const dataDir = dataFolder(given, typeof which.name === 'string' ? which.name : undefined);
  const services = await readServicesFile(dataDir);
  if (services === undefined) {
    throw new Misuse(
      `No site was ever started on ${dataDir}. Start one (npm start), name its folder (--data), or take the settings ` +
        'of this process (--env) or of a file (--env-file).',
    );
  }
  return { dataDir, envOf: (kind) => ({ ...env, ...services[kind] }) };
}

async function fromFile(path: string, env: Environment): Promise<SiteSettings> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new Misuse(`--env-file: ${error.message}`, { cause: error });
  });
  // The shell's go over the file's, as with npm start.
  const settings = { ...(parseEnv(text) as Environment), ...env };
  return { envOf: () => settings };
}

export function serviceKindOf(text: string): ServiceKind {
  const kind = serviceKinds.find((known) => known === text);
  if (kind === undefined) throw new Misuse(`--service ${text}: one of ${serviceKinds.join(', ')}`);
  return kind;
}
