import { join, resolve } from 'node:path';
import { checkoutFolder, type Environment } from '@boardwire/embedded';

/** `BOARDWIRE_DATA`, as seen from where npm was called; else a folder of the checkout, one for each site's name. */
export function dataFolder(env: Environment, name?: string): string {
  const given = env['BOARDWIRE_DATA'];
  if (given) return resolve(env['INIT_CWD'] ?? process.cwd(), given);
  return join(checkoutFolder, name === undefined ? '.boardwire' : `.boardwire-${name}`);
}
