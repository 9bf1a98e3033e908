import { readFileSync } from 'node:fs';

/** Of the release that runs: all packages of Boardwire have the same one. */
export const version: string = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
