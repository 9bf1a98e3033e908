import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The folder that holds the repository: three levels above this file, from `src` and from `dist` alike. */
export const checkoutFolder = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * Where fetched binaries are kept: the project's own cache, then the user's, so that a second clone on the same
 * machine needs no network.
 */
export function cacheFolders(env: Environment): { project: string; user: string } {
  return {
    project: env['BOARDWIRE_CACHE'] || join(checkoutFolder, '.boardwire-cache'),
    user: join(env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache'), 'boardwire'),
  };
}
