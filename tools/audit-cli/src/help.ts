import type { Command } from './command.ts';
import { commands } from './commands/commands.ts';

const width = 30;

export function overview(): string {
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width - 2)}${summary}`);
  return `Verifies a Boardwire audit log from files alone, without network, database or trust in the site.

Usage: boardwire-audit <command> …      boardwire-audit <command> --help

${lines.join('\n')}

Exit codes: 0 verified, 1 proven false, 2 cannot tell or wrong usage. --json: the verdict and its steps as JSON.
`;
}

export function helpOf({ name, summary, files, options, explains }: Command): string {
  const rows = Object.entries({
    ...options,
    json: { type: 'boolean' as const, says: 'the verdict and its steps as JSON' },
  }).map(([option, { value, says, isRepeated }]: [string, Command['options'][string]]) => {
    const left = `--${option}${value === undefined ? '' : ` ${value}`}`;
    return `  ${left.padEnd(width - 2)}${says}${isRepeated === true ? ' (may be repeated)' : ''}`;
  });
  const usage = ['boardwire-audit', name, files, '[options]'].filter((part) => part !== '').join(' ');
  return `${summary}\n\nUsage: ${usage}\n\n${rows.join('\n')}\n\n${explains}\n`;
}
