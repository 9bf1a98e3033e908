import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');
const skipped = new Set(['node_modules', 'dist', '.git', 'coverage', 'artifacts']);

export interface SourceFile {
  /** From the repository's root, with `/`. */
  path: string;
  text: string;
  /** The package folder, such as `libs/contracts`; `tests` and `scripts` for those. */
  home: string;
}

/** Every text file below the folders given, in a stable order. */
export function filesBelow(folders: readonly string[], ending: RegExp): SourceFile[] {
  return folders
    .flatMap((folder) => walk(join(root, folder)))
    .filter((path) => ending.test(path))
    .map((path) => {
      const short = relative(root, path).replaceAll('\\', '/');
      return { path: short, text: readFileSync(path, 'utf8'), home: homeOf(short) };
    });
}

/** What runs in production: the packages' `src` without its tests. */
export function productionSources(): SourceFile[] {
  return filesBelow(['libs', 'services', 'applets', 'site', 'bench', 'console', 'tools'], /\.tsx?$/).filter(
    ({ path }) => path.includes('/src/') && !/\.test\.tsx?$/.test(path),
  );
}

export function packageJson(home: string): { name?: string; dependencies?: Record<string, string> } {
  return JSON.parse(readFileSync(join(root, home, 'package.json'), 'utf8')) as ReturnType<typeof packageJson>;
}

export interface Import {
  from: string;
  isType: boolean;
}

const importPattern =
  /^[ \t]*(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm;

/** Static and dynamic imports and re-exports. */
export function importsOf({ text }: SourceFile): Import[] {
  return Array.from(text.matchAll(importPattern), ([, type, from, dynamic]) => ({
    from: from ?? dynamic ?? '',
    isType: type !== undefined,
  }));
}

function homeOf(path: string): string {
  const [first, second] = path.split('/');
  return ['libs', 'services', 'applets', 'tools'].includes(first!) ? `${first}/${second}` : first!;
}

function walk(folder: string): string[] {
  return readdirSync(folder)
    .toSorted()
    .filter((name) => !skipped.has(name) && !name.startsWith('.boardwire'))
    .flatMap((name) => {
      const path = join(folder, name);
      return statSync(path).isDirectory() ? walk(path) : [path];
    });
}
