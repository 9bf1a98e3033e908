export type OptionValues = Record<string, number | string>;

/** Something only the user can change. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
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
  return [...Object.keys(defaults).map((name) => `--${name}`), '--json', '--help'].join(', ');
}
