import { UserError } from '../user-error.ts';

export interface DemoArguments {
  seed: number;
  events: number;
  /** How long the two hours take. */
  seconds: number;
  /** A site to use; undefined: the one on this machine, else one of its own. */
  url: string | undefined;
  isHelp: boolean;
}

export const help = `Replays two hours of a busy board in a minute, then checks that everybody has everything.

  npm run demo                        on the site that runs here (npm start), else on one of its own that is thrown away
  npm run demo -- --seconds 30        in half a minute
  npm run demo -- --events 5000       fewer events (default 20000)
  npm run demo -- --seed 7            other conversations; the same seed tells the same story
  npm run demo -- --url http://…      on another site

Forty guests chat in many languages, each within a person's rate. Scores, alerts and trading decisions come from
programs, whose rate is higher: they sign in as admin (ADMIN_PASSWORD, or the password kept in the data folder).
A follower is there from the first event, another one joins halfway and catches up. At the end their records and the
audit log are compared with what the site accepted. Exit code 0: everybody has every event, in order.
`;

/** @throws UserError on anything it doesn't know. */
export function parseDemoArguments(args: readonly string[]): DemoArguments {
  const result: DemoArguments = { seed: 1, events: 20_000, seconds: 50, url: undefined, isHelp: false };
  const rest = args.flatMap((arg) => (arg.startsWith('--') ? arg.split(/=(.*)/s, 2) : [arg]));
  while (rest.length > 0) {
    const name = rest.shift()!;
    if (name === '--help' || name === '-h') result.isHelp = true;
    else if (name === '--seed') result.seed = whole(name, rest.shift(), 0, 2 ** 32 - 1);
    else if (name === '--events') result.events = whole(name, rest.shift(), 1, 1_000_000);
    else if (name === '--seconds') result.seconds = whole(name, rest.shift(), 1, 7_200);
    else if (name === '--url') result.url = siteUrl(rest.shift());
    else throw new UserError(`Unknown option ${name}.\n\n${help}`);
  }
  return result;
}

function whole(name: string, text: string | undefined, min: number, max: number): number {
  const value = Number(text ?? '');
  if (text !== undefined && text !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new UserError(`${name} takes a whole number from ${min} to ${max}.`);
}

function siteUrl(text: string | undefined): string {
  if (text !== undefined && URL.canParse(text) && /^https?:/.test(text)) return text.replace(/\/+$/, '');
  throw new UserError('--url takes an address such as http://localhost:8080.');
}
