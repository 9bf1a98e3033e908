// Writes the tables of docs/protocol.md from the contracts, or checks them with --check.
import { readFile, writeFile } from 'node:fs/promises';
import { closeCodes, errorTable, federationErrorTable, limits } from '../libs/contracts/dist/index.js';

const file = new URL('../docs/protocol.md', import.meta.url);
const rows = (head, lines) =>
  [
    `| ${head.join(' | ')} |`,
    `|${head.map(() => '---').join('|')}|`,
    ...lines.map((line) => `| ${line.join(' | ')} |`),
  ].join('\n');

const tables = [
  '## Close codes\n',
  rows(
    ['code', 'name', 'the client', 'meaning'],
    Object.entries(closeCodes).map(([name, entry]) => [
      entry.code,
      `\`${name}\``,
      entry.advice.replace('_', ' '),
      entry.meaning,
    ]),
  ),
  '\n## Error codes\n',
  rows(
    ['code', 'status', 'title', 'repeat'],
    Object.entries(errorTable).map(([code, entry]) => [
      `\`${code}\``,
      entry.status,
      entry.title,
      entry.retry ? 'later' : 'no',
    ]),
  ),
  '\n## Codes between sites\n',
  rows(
    ['code', 'status', 'title'],
    Object.entries(federationErrorTable).map(([code, entry]) => [`\`${code}\``, entry.status, entry.title]),
  ),
  '\n## Limits\n',
  rows(
    ['limit', 'value'],
    Object.entries(limits).map(([name, value]) => [`\`${name}\``, value]),
  ),
].join('\n');

const text = await readFile(file, 'utf8');
const next = text.replace(/<!-- tables -->[\s\S]*<!-- \/tables -->/, `<!-- tables -->\n${tables}\n<!-- /tables -->`);
if (process.argv.includes('--check')) {
  if (next !== text) {
    console.error('docs/protocol.md differs from the contracts: run `npm run docs`');
    process.exit(1);
  }
} else {
  await writeFile(file, next);
}
