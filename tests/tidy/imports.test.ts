import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { importsOf, packageJson, productionSources, type SourceFile } from './sources.ts';

const sources = productionSources();
const homes = [...new Set(sources.map(({ home }) => home))];
const homeOfPackage = new Map(homes.map((home) => [packageJson(home).name!, home]));

/** Where a package's imports may lead, beside its own files. */
const allowed: Record<string, (home: string) => boolean> = {
  'libs/contracts': () => false,
  'libs/client': (home) => home === 'libs/contracts',
  'libs/dialects': (home) => home === 'libs/contracts',
  libs: (home) => home.startsWith('libs/') && home !== 'libs/client',
  services: (home) => home.startsWith('libs/') && !['libs/client', 'libs/test-kit', 'libs/embedded'].includes(home),
  applets: (home) => home.startsWith('libs/') && !['libs/test-kit', 'libs/embedded'].includes(home),
  console: (home) => home === 'libs/client' || home === 'libs/contracts',
  site: (home) => home !== 'console' && home !== 'bench' && home !== 'libs/test-kit',
  // What an auditor trusts has to be small: it shares the formats with the site, and nothing else.
  tools: (home) => home === 'libs/signing',
  bench: (home) => home === 'site' || home.startsWith('libs/'),
};

const packageOf = (from: string) => from.split('/', from.startsWith('@') ? 2 : 1).join('/');
const isRelative = (from: string) => from.startsWith('.');
const isBuiltIn = (from: string) => from.startsWith('node:') || builtinModules.includes(packageOf(from));

/** `file → import` for every import that a rule refuses. */
function refused(rule: (file: SourceFile, from: string) => boolean): string[] {
  return sources.flatMap((file) =>
    importsOf(file).flatMap(({ from }) => (rule(file, from) ? [`${file.path} → ${from}`] : [])),
  );
}

describe('imports', () => {
  test('are found at all', () => {
    expect(sources.length).toBeGreaterThan(100);
    expect(sources.flatMap(importsOf).length).toBeGreaterThan(500);
  });

  test('go one way: console → client → contracts, applets and services → libs → contracts', () => {
    const wrong = refused((file, from) => {
      const target = homeOfPackage.get(packageOf(from));
      if (target === undefined || target === file.home) return false;
      const rule = allowed[file.home] ?? allowed[file.home.split('/')[0]!];
      return !rule!(target);
    });
    expect(wrong).toEqual([]);
  });

  test('stay inside their package when relative, and name the file', () => {
    const wrong = refused(
      ({ path, home }, from) =>
        isRelative(from) &&
        (!posix.join(posix.dirname(path), from).startsWith(`${home}/src/`) || !/\.(?:tsx?|css|svg)$/.test(from)),
    );
    expect(wrong).toEqual([]);
  });

  test('are declared in the package’s own package.json', () => {
    const wrong = refused(({ home }, from) => {
      if (isRelative(from) || isBuiltIn(from)) return false;
      const { name, dependencies = {} } = packageJson(home);
      return packageOf(from) !== name && !Object.hasOwn(dependencies, packageOf(from));
    });
    expect(wrong).toEqual([]);
  });

  test.each([
    ['the NATS client stands behind libs/messaging', /^@nats-io\/|^nats$/, /^libs\/messaging$/],
    ['TypeORM stands in libs/database and stores', /^typeorm$/, /^(?:libs\/database|services\/.*)$/],
    // The embedded server asks whether it answers; nothing else speaks to Postgres by itself.
    ['pg stands in libs/database', /^pg$/, /^(?:libs\/(?:database|embedded)|services\/.*)$/],
    // A peer in the benches is a Nest program.
    [
      'Nest and Fastify stand at the edges',
      /^@nestjs\/|^fastify$/,
      /^(?:libs\/service-kit|services\/.*|applets\/.*|bench)$/,
    ],
    ['React stands in the console', /^react|^@mantine\//, /^console$/],
  ])('%s', (_rule, library, mayUse) => {
    expect(refused(({ home }, from) => library.test(from) && !mayUse.test(home))).toEqual([]);
  });

  test('of the schema library alone, in contracts; of nothing but contracts, in the SDK', () => {
    const foreign = (home: string, others: readonly string[]) =>
      refused((file, from) => file.home === home && !isRelative(from) && !others.includes(from));
    expect(foreign('libs/contracts', ['zod'])).toEqual([]);
    expect(foreign('libs/client', ['@boardwire/contracts'])).toEqual([]);
    expect(foreign('libs/dialects', ['@boardwire/contracts'])).toEqual([]);
  });

  test('make no cycle at run time', () => {
    expect(cycles(runtimeGraph())).toEqual([]);
  });
});

function runtimeGraph(): Map<string, string[]> {
  return new Map(
    sources.map((file) => [
      file.path,
      importsOf(file)
        .filter(({ from, isType }) => isRelative(from) && !isType)
        .map(({ from }) => posix.join(posix.dirname(file.path), from)),
    ]),
  );
}

/** Depth first; a file that is met again while it is still open closes a cycle. */
function cycles(graph: Map<string, string[]>): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, open: readonly string[]): void => {
    if (open.includes(path)) found.push([...open.slice(open.indexOf(path)), path].join(' → '));
    if (done.has(path) || open.includes(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...open, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return found;
}
