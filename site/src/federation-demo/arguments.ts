import { UserError } from '../user-error.ts';

export interface FederationDemoArguments {
  /** Posts of each site in each of the three acts. */
  posts: number;
  /** How long pi stays cut off. */
  seconds: number;
  isHelp: boolean;
}

export const help = `Shows three sites that share a board, on this machine, and what a broken link does to it.

  npm run demo:federation                      host, relay and pi; about a minute
  npm run demo:federation -- --posts 500       posts of each site in each act (default 60)
  npm run demo:federation -- --seconds 20      how long pi is cut off (default 8)

Nobody can dial pi: it dials out through a SOCKS5 proxy of its own, as behind Tor. All three share their board "events" in a
room called test-chat. Then everybody posts: first with all links, then with the link between pi and host cut (the relay passes
events on), then with pi cut off altogether, which heals at the end. The sites' records are compared by id and hash.
Everything is in a temporary folder and goes with the demo. Exit code 0: all three hold the same events, each once, in their
origin's order.
`;

/** @throws UserError on anything it doesn't know. */
export function parseArguments(args: readonly string[]): FederationDemoArguments {
  const result: FederationDemoArguments = { posts: 60, seconds: 8, isHelp: false };
  const rest = args.flatMap((arg) => (arg.startsWith('--') ? arg.split(/=(.*)/s, 2) : [arg]));
  while (rest.length > 0) {
    const name = rest.shift()!;
    if (name === '--help' || name === '-h') result.isHelp = true;
    else if (name === '--posts') result.posts = whole(name, rest.shift(), 100_000);
    else if (name === '--seconds') result.seconds = whole(name, rest.shift(), 600);
    else throw new UserError(`Unknown option ${name}.\n\n${help}`);
  }
  return result;
}

function whole(name: string, text: string | undefined, max: number): number {
  const value = Number(text ?? '');
  if (text !== undefined && text !== '' && Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new UserError(`${name} takes a whole number from 1 to ${max}.`);
}
