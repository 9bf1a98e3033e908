import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../options.ts';

/** Paths of the compiled programs. */
export interface NativePrograms {
  load: string;
  floor: string;
}

const sources = fileURLToPath(new URL('../../native/', import.meta.url));
const compilers = ['cc', 'gcc', 'clang'];

/** The first C compiler on the path. */
export function findCompiler(): string | undefined {
  return compilers.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
}

/**
 * Compiles load generator and floor into a folder. A load generator in JavaScript can't outrun what it measures, so
 * there is none.
 *
 * @throws UsageError that says what to install
 */
export function compileNative(folder: string): NativePrograms {
  if (process.platform !== 'linux') throw new UsageError('The load generator is written for Linux (epoll).');
  const compiler = findCompiler();
  if (compiler === undefined) {
    throw new UsageError(
      `The load generator is compiled when a bench starts, and none of ${compilers.join(', ')} was found.\n` +
        'Install one: apt-get install gcc libc6-dev, apk add gcc musl-dev, or dnf install gcc.',
    );
  }
  mkdirSync(folder, { recursive: true });
  return { load: compile(compiler, 'load', folder), floor: compile(compiler, 'floor', folder) };
}

function compile(compiler: string, name: string, folder: string): string {
  const program = join(folder, name);
  const { status, stderr } = spawnSync(compiler, ['-O2', '-o', program, join(sources, `${name}.c`)], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new UsageError(`${compiler} can't compile bench/native/${name}.c:\n${stderr}`);
  return program;
}
