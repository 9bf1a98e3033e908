import type { Command } from './command.ts';
import { commands } from './commands/commands.ts';

const width = 24;

/** Which site is meant; every command takes them. */
export const siteOptions = {
  data: { type: 'string', value: 'folder', says: 'the data folder of a site that npm start runs; default .boardwire' },
  name: { type: 'string', value: 'name', says: 'the site that was started with this --name' },
  'env-file': { type: 'string', value: 'file', says: 'settings as in .env instead of a data folder' },
  env: { type: 'boolean', says: 'the settings of this process, as in a container, instead of a data folder' },
  json: { type: 'boolean', says: 'the findings as JSON' },
} as const satisfies Command['options'];

export function overview(): string {
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width - 2)}${summary}`);
  return `What an operator does with a Boardwire site.

Usage: boardwire <command> …      boardwire <command> --help

${lines.join('\n')}

Exit codes: 0 fine, 1 something is to be mended or could not be done, 2 wrong usage. Every command takes --json.
`;
}

export function helpOf({ name, summary, options, explains, examples }: Command): string {
  return `${summary}

Usage: boardwire ${name} [options]

${[...rows(options), ...rows(siteOptions)].join('\n')}

${explains}

Examples
${examples.map((example) => `  ${example}`).join('\n')}
`;
}

function rows(options: Command['options']): string[] {
  return Object.entries(options).map(([option, { value, says, isRepeated }]) => {
    const left = `--${option}${value === undefined ? '' : ` ${value}`}`;
    return `  ${left.padEnd(width - 2)}${says}${isRepeated === true ? ' (may be repeated)' : ''}`;
  });
}
