import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assertNodeVersion } from './node-version.mjs';

// npm test [-- <jest path filters>] [--long]
// Without filters: lint, format, types and every suite. With filters: those suites only.
assertNodeVersion();
const { prepare, printStep, root, runTool } = await import('./prepare.mjs');

const args = process.argv.slice(2);
const isLong = args.includes('--long');
const jestArgs = args.filter((arg) => arg !== '--long');
const startedAt = performance.now();
let passed = 0;
let failed = 0;

await check('the build', () => prepare());
if (failed === 0) {
  if (jestArgs.length === 0) await checkSources();
  await runSuites();
}
const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
process.stdout.write(`\nin ${minutes} min\n${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);

async function checkSources() {
  await check('lint', () => runTool('oxlint/bin/oxlint', ['--type-aware', '--quiet'], root));
  await check('format', () => runTool('oxfmt/bin/oxfmt', ['--check'], root));
  await check('types of the tests', () => runTool('typescript/bin/tsc', ['-p', 'tsconfig.test.json'], root));
  await check('types of the console', () =>
    runTool('typescript/bin/tsc', ['--noEmit', '-p', join(root, 'console')], root),
  );
}

/** One of the checks beside the suites: it counts as a test when it fails. */
async function check(name, work) {
  const from = performance.now();
  try {
    await work();
    printStep(`${name} checked`, performance.now() - from);
  } catch (error) {
    failed += 1;
    process.stdout.write(`  ✘ ${name}: ${error.message}\n`);
  }
}

async function runSuites() {
  const folder = mkdtempSync(join(tmpdir(), 'boardwire-results-'));
  const resultFile = join(folder, 'jest.json');
  const env = {
    ...process.env,
    NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --experimental-vm-modules --no-warnings`.trim(),
    BOARDWIRE_TEST_TIER: isLong ? 'long' : (process.env.BOARDWIRE_TEST_TIER ?? 'short'),
  };
  const workers = process.env.BOARDWIRE_TEST_WORKERS ?? '2';
  const options = ['--maxWorkers', workers, '--json', `--outputFile=${resultFile}`];
  try {
    await runTool('jest/bin/jest.js', [...options, ...jestArgs], root, { env }).catch(() => undefined);
    count(JSON.parse(readFileSync(resultFile, 'utf8')));
  } catch (error) {
    failed += 1;
    process.stdout.write(`  ✘ jest gave no results: ${error.message}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A suite that could not even run has no failed test of its own, but it has failed. */
function count(results) {
  passed += results.numPassedTests;
  failed += results.numFailedTests + results.numRuntimeErrorTestSuites;
  if (results.numPendingTests > 0) process.stdout.write(`\n${results.numPendingTests} skipped\n`);
}
