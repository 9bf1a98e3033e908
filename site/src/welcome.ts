import { relative } from 'node:path';
import type { Site } from './start-site.ts';

/** What a new user needs to know once the site runs: the address, one command to post, one to follow, the password. */
export function welcome(site: Site, { tookMs, name }: { tookMs: number; name: string | undefined }): string {
  const gateways = Object.values(site.services).filter(({ kind }) => kind === 'gateway').length;
  const url = site.publicUrl.replace('127.0.0.1', 'localhost');
  const events = `${url}/v1/boards/events`;
  return [
    '',
    `Boardwire runs at ${url}${gateways > 1 ? ` with ${gateways} gateways` : ''} (ready in ${(tookMs / 1000).toFixed(1)} s; Ctrl-C stops it)`,
    '',
    'In each of two terminals a guest token; then follow in one and post in the other:',
    `  TOKEN=$(curl -sS ${url}/v1/auth/guest -H 'content-type: application/json' -d '{"nickname":"ada-'$RANDOM'"}' | sed 's/.*"accessToken":"\\([^"]*\\)".*/\\1/')`,
    `  curl -N "${events}/stream?subject=AxonChat.%3E" -H "authorization: Bearer $TOKEN"`,
    `  curl ${events}/events -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' \\`,
    `    -d '{"subject":"AxonChat.lobby","type":"chat.message.posted","data":{"text":"hello"}}'`,
    '',
    adminLine(site),
    `Logs: ${shown(site.dataDir)}/logs    State: npm run status${name === undefined ? '' : ` -- --name ${name}`}`,
    '',
  ].join('\n');
}

function adminLine({ adminPassword }: Site): string {
  const { value, place, isNew } = adminPassword;
  if (place === 'ADMIN_PASSWORD')
    return 'Administrator: admin, with the password you gave in ADMIN_PASSWORD at the first start';
  const kept = `kept in ${shown(place)}`;
  return isNew
    ? `Administrator: admin, password ${value} (shown this once; ${kept})`
    : `Administrator: admin, password ${kept}`;
}

function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}
