import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { describe, expect, test } from '@jest/globals';
import { filesBelow, productionSources, root } from './sources.ts';

const sources = productionSources();
const tests = filesBelow(['libs', 'services', 'applets', 'site', 'bench', 'tools', 'tests'], /\.test\.tsx?$/);

describe('the environment', () => {
  /** Services read it through their configuration; these are programs of their own, or ask who they are. */
  const readers = [
    /^libs\/service-kit\/src\/run-(?:main|task)\.ts$/,
    /^libs\/embedded\/src\//,
    /^libs\/test-kit\/src\//,
    /^site\/src\//,
    /^bench\/src\//,
  ];

  test('is read by programs and handed on, never inside a service', () => {
    const wrong = sources.filter(
      ({ path, text }) => /process\.env\b/.test(text) && !readers.some((reader) => reader.test(path)),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  test('ends a process nowhere but there', () => {
    const wrong = sources.filter(
      ({ path, text }) => /process\.exit\(/.test(text) && !readers.some((reader) => reader.test(path)),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });
});

describe('a time that runs out', () => {
  test('is never a part that only AbortSignal.any knows: Node 20 collects it, and it does not fire', () => {
    const wrong = sources.filter(({ text }) => /AbortSignal\.any\([^;]*AbortSignal\.timeout\(/.test(text));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });
});

describe('tests', () => {
  test('are all run: none alone, none skipped without a reason', () => {
    const wrong = tests.flatMap(({ path, text }) =>
      Array.from(
        text.matchAll(/\b(?:test|it|describe)\.(?:only|skip|todo)\b|\bx(?:test|it|describe)\(|\bf(?:it|describe)\(/g),
        ([found]) => `${path}: ${found}`,
      ),
    );
    // A choice between running and skipping is made where something can be missing, such as a browser.
    const explained = wrong.filter((line) => {
      const { text } = tests.find(({ path }) => line.startsWith(`${path}:`))!;
      return !/\?\s*(?:test|describe)(?:\.skip)?\s*:\s*(?:test|describe)(?:\.skip)?\b/.test(text);
    });
    expect(explained).toEqual([]);
  });

  test('wait for events, not for time to pass', () => {
    // An outage lasts as long as it lasts.
    const patient = tests.filter(({ path }) => !path.startsWith('tests/faults/'));
    const sleeping = patient.filter(({ text }) =>
      /await (?:sleep|setTimeout|delay)\(\d{4,}/.test(text.replaceAll('_', '')),
    );
    expect(sleeping.map(({ path }) => path)).toEqual([]);
  });
});

describe('the repository', () => {
  const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean);
  const texts = tracked
    .filter(
      (path) =>
        /\.(?:tsx?|mjs|json|md|ya?ml|html|css|sh)$|Dockerfile$|\.npmrc$|^\.env/.test(path) &&
        existsSync(join(root, path)),
    )
    .map((path) => ({ path, text: readText(path) }));

  test('names no package registry and no archive: a machine has its own', () => {
    const hosts =
      /https?:\/\/[\w.-]*(?:registry|npmjs|artifactory|nexus|jfrog)[\w.-]*|deb\.debian\.org|archive\.ubuntu\.com/;
    const wrong = texts.filter(({ path, text }) => hosts.test(text) && path !== 'tests/tidy/hygiene.test.ts');
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  test('holds no address of the machine it was written on', () => {
    const wrong = texts.filter(
      ({ path, text }) =>
        /(?:^|[\s"'`(=])\/(?:work|home|Users)\/\w/m.test(text) && path !== 'tests/tidy/hygiene.test.ts',
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  test('gives every decision a status, and lists it', () => {
    const index = readText('docs/adr/README.md');
    const decisions = tracked.filter((path) => /^docs\/adr\/\d{4}-.*\.md$/.test(path));
    expect(decisions.length).toBeGreaterThan(0);
    for (const path of decisions) {
      expect(readText(path)).toMatch(/^Status: (?:proposed|accepted|rejected|superseded by \d{4})$/m);
      expect(index).toContain(`(${path.slice('docs/adr/'.length)})`);
    }
  });

  test('has no drawer for anything', () => {
    const drawers =
      /(?:^|\/)(?:utils?|helpers?|common|misc|managers?|impl)(?:\/|\.tsx?$|-)|-(?:utils?|helpers?|manager|impl)\.tsx?$/;
    expect(tracked.filter((path) => /\.tsx?$/.test(path) && drawers.test(path))).toEqual([]);
  });
});

/** Ratchets: lower them when the longest gets shorter, never raise them without a reason here. */
const fileLinesMax = 300;
const functionLinesMax = 60;
/** Longer ones that read better whole; none of them may grow. */
const longFunctions: Record<string, number> = { createGateway: 92, MessageList: 73 };

describe('sizes', () => {
  test(`no source file is longer than ${fileLinesMax} lines`, () => {
    const long = sources.filter(({ text }) => text.split('\n').length - 1 > fileLinesMax);
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  test(`no function is longer than ${functionLinesMax} lines`, () => {
    const oxlint = join(dirname(createRequire(import.meta.url).resolve('oxlint/package.json')), 'bin', 'oxlint');
    const config = join(root, 'tests', 'tidy', 'sizes.oxlintrc.json');
    const folders = ['libs', 'services', 'applets', 'site', 'bench', 'tools', 'console/src'];
    const { stdout } = spawnSync(process.execPath, [oxlint, '-c', config, '--format', 'unix', ...folders], {
      cwd: root,
      encoding: 'utf8',
    });
    const long = Array.from(
      stdout.matchAll(/^(\S+?):\d+:\d+: The (?:\w+ )*function (?:`(\w+)` )?has too many lines \((\d+)\)/gm),
      ([, path, name = 'without a name', lines]) => ({ path, name, lines: Number(lines) }),
    );
    expect(stdout.split('\n').filter((line) => line.includes('max-lines-per-function'))).toHaveLength(long.length);
    expect(long.filter(({ name, lines }) => lines > (longFunctions[name] ?? functionLinesMax))).toEqual([]);
  });
});

function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
