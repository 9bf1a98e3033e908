export type OptionValues = Record<string, number | string>;

/** Something only the user can change. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface CommonOptions {
  isJson: boolean;
  isQuick: boolean;
  out: string | undefined;
  base: string | undefined;
}

/** What every bench takes, and what is left for the one that is run. */
export function commonOptions(args: readonly string[]): { common: CommonOptions; rest: string[] } {
  const rest = args.flatMap((arg) => (/^--(?:out|base)=/.test(arg) ? arg.split(/=(.*)/s, 2) : [arg]));
  const flag = (name: string) => {
    const at = rest.indexOf(name);
    if (at >= 0) rest.splice(at, 1);
    return at >= 0;
  };
  const value = (name: string) => {
    const at = rest.indexOf(name);
    if (at < 0) return undefined;
    const [, given] = rest.splice(at, 2);
    if (given === undefined || given.startsWith('--')) throw new UsageError(`${name} takes a folder.`);
    return given;
  };
  const common = { isJson: flag('--json'), isQuick: flag('--quick'), out: value('--out'), base: value('--base') };
  return { common, rest };
}

/** `--name value` for each name of the defaults; numbers where the default is one. */
export function readOptions(args: readonly string[], defaults: OptionValues): OptionValues {
  const values = { ...defaults };
  const rest = args.flatMap((arg) => (arg.startsWith('--') ? arg.split(/=(.*)/s, 2) : [arg]));
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    const key = name.replace(/^--/, '');
    const fallback = Object.hasOwn(defaults, key) && name.startsWith('--') ? defaults[key] : undefined;
    if (fallback === undefined) throw new UsageError(`Unknown option ${name}. There are: ${allowed(defaults)}.`);
    values[key] = typeof fallback === 'number' ? positive(name, rest.shift()) : (rest.shift() ?? '');
  }
  return values;
}

function positive(name: string, text = ''): number {
  const value = Number(text);
  if (text === '' || !Number.isInteger(value) || value < 1) throw new UsageError(`${name} takes a whole number.`);
  return value;
}

function allowed(defaults: OptionValues): string {
  return [...Object.keys(defaults).map((name) => `--${name}`), '--quick', '--out', '--base', '--json', '--help'].join(
    ', ',
  );
}
