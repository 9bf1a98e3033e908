import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, test } from '@jest/globals';
import { closeCodes } from '@boardwire/contracts';
import { filesBelow, root } from './sources.ts';

describe('close codes', () => {
  test('stand in docs/protocol.md as in the contracts, like the other tables', () => {
    const script = join(root, 'scripts', 'protocol-tables.mjs');
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    const text = readFileSync(join(root, 'docs', 'protocol.md'), 'utf8');
    for (const [name, { code, meaning }] of Object.entries(closeCodes)) {
      expect(text).toMatch(new RegExp(`^\\| ${code} +\\| \`${name}\` +\\|.*${meaning}`, 'm'));
    }
  });

  test('are no second table in the SDK: it asks the contracts', () => {
    const sources = filesBelow(['libs/client/src'], /\.ts$/);
    expect(sources.some(({ text }) => text.includes('closeAdvice('))).toBe(true);
    const own = sources.filter(({ text }) => /\b(?:40(?:0[0-9]|10)|1012|1009)\b/.test(text));
    expect(own.map(({ path }) => path)).toEqual([]);
  });
});
