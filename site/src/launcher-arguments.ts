import type { Environment } from '@boardwire/embedded';
import { UserError } from './user-error.ts';

export interface LauncherArguments {
  isFresh: boolean;
  mode: 'one-process' | 'processes';
  isHelp: boolean;
}

export const help = `Starts a Boardwire site on this machine.

  npm start                      the whole site in one process
  npm start -- --processes       each service in a process of its own; one that dies is started again
  npm start -- --fresh           with an empty site: what BOARDWIRE_DATA holds is deleted first
  npm start -- --help            this text
  npm run status                 what a running site does, per loop and board
  npm test                       everything is built, checked and tested

Environment (all optional; .env.example tells the rest)
  PORT=8080                      public address
  INTERNAL_PORT_BASE=9100        internal ports are the base + 1 … 5; follows PORT
  BOARDWIRE_DATA=.boardwire      data, secrets and logs of the site
  DATABASE_URL, NATS_URL         servers of your own instead of embedded ones
  NATS_SERVER_BIN                a nats-server program of your own
  BOARDWIRE_CACHE                where a fetched nats-server is kept
  ADMIN_PASSWORD                 password of the account admin, at the first start
  GUESTS=on                      off: only accounts may read and write
`;

/** @throws UserError on anything it doesn't know. */
export function parseLauncherArguments(args: readonly string[], env: Environment = {}): LauncherArguments {
  refuseFlagsThatNpmKept(env);
  const result: LauncherArguments = { isFresh: false, mode: 'one-process', isHelp: false };
  for (const arg of args) {
    if (arg === '--fresh') result.isFresh = true;
    else if (arg === '--processes') result.mode = 'processes';
    else if (arg === '--help' || arg === '-h') result.isHelp = true;
    else throw new UserError(`Unknown option ${arg}.\n\n${help}`);
  }
  return result;
}

/** `npm start --fresh` reaches us as an environment variable only: a site that isn't fresh would be a surprise. */
function refuseFlagsThatNpmKept(env: Environment): void {
  if (env['npm_lifecycle_event'] !== 'start') return;
  const kept = ['fresh', 'processes'].find((name) => env[`npm_config_${name}`] === 'true');
  if (kept !== undefined)
    throw new UserError(`npm kept --${kept} for itself. Put -- before it: npm start -- --${kept}`);
}
