import type { Environment } from '@boardwire/embedded';
import { gatewaysMax } from './site-ports.ts';
import { UserError } from './user-error.ts';

export interface LauncherArguments {
  isFresh: boolean;
  mode: 'one-process' | 'processes';
  isHelp: boolean;
  gateways: number;
  /** Tells apart the sites of one machine. */
  name?: string;
  /** Goes over `PORT`; checked where that is. */
  port?: string;
}

export const help = `Starts a Boardwire site on this machine.

  npm start                      the whole site in one process
  npm start -- --processes       each service in a process of its own; one that dies is started again
  npm start -- --fresh           with an empty site: what its data folder holds is deleted first
  npm start -- --help            this text
  npm run site -- --gateways 2   several gateways behind the one public address, each service in a process of its own
  npm run site -- --name pi --port 8081
                                 a second site on this machine, with data in .boardwire-pi
  npm run status                 what a running site does, per loop and board; -- --name pi for that one
  npm run restored               a backup of its database was put back: boards and the audit log begin new epochs
  npm run boardwire -- --help    what an operator does: the settings, the stream, a backup put back, keys, the site's state
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
  const result: LauncherArguments = { isFresh: false, mode: 'one-process', isHelp: false, gateways: 1 };
  const left = args.flatMap((arg) => (/^--\w+=/.test(arg) ? [arg.slice(0, arg.indexOf('=')), afterSign(arg)] : [arg]));
  while (left.length > 0) take(left.shift()!, left, result);
  // One that is killed must not take the others with it.
  if (result.gateways > 1) result.mode = 'processes';
  return result;
}

/** The user's settings, with what the command line says over them. */
export function settingsOf({ name, port }: Pick<LauncherArguments, 'name' | 'port'>, env: Environment): Environment {
  return {
    ...env,
    ...(name === undefined ? {} : { SITE_NAME: name }),
    ...(port === undefined ? {} : { PORT: port }),
  };
}

function take(option: string, left: string[], result: LauncherArguments): void {
  switch (option) {
    case '--fresh':
      result.isFresh = true;
      return;
    case '--processes':
      result.mode = 'processes';
      return;
    case '--help':
    case '-h':
      result.isHelp = true;
      return;
    case '--gateways':
      result.gateways = gatewayCount(valueOf(option, left));
      return;
    case '--name':
      result.name = siteName(valueOf(option, left));
      return;
    case '--port':
      result.port = valueOf(option, left);
      return;
    default:
      throw new UserError(`Unknown option ${option}.\n\n${help}`);
  }
}

function valueOf(option: string, left: string[]): string {
  const value = left.shift();
  if (value === undefined || value === '' || value.startsWith('-')) throw new UserError(`${option} needs a value.`);
  return value;
}

function gatewayCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= gatewaysMax) return count;
  throw new UserError(`--gateways ${text}: give a number from 1 to ${gatewaysMax}.`);
}

/** It becomes part of a folder's name. */
function siteName(text: string): string {
  if (/^[a-z0-9][a-z0-9-]{0,31}$/.test(text)) return text;
  throw new UserError(`--name ${text} is not a name: up to 32 of a-z, 0-9 and -.`);
}

function afterSign(arg: string): string {
  return arg.slice(arg.indexOf('=') + 1);
}

const ownCommands: Readonly<Record<string, string>> = { start: 'npm start', site: 'npm run site' };

/** `npm start --fresh` reaches us as an environment variable only: a site that isn't fresh would be a surprise. */
function refuseFlagsThatNpmKept(env: Environment): void {
  const command = ownCommands[env['npm_lifecycle_event'] ?? ''];
  if (command === undefined) return;
  const kept = ['fresh', 'processes', 'gateways', 'port'].find((name) => env[`npm_config_${name}`]);
  if (kept !== undefined)
    throw new UserError(`npm kept --${kept} for itself. Put -- before it: ${command} -- --${kept}`);
}
