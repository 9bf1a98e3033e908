import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { commonConfig } from '@boardwire/service-kit';
import { z } from 'zod';
import { configSchemas } from '../support/config-schemas.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** The machine's and other programs' variables: ours to read, not ours to explain. */
const foreign = new Set(['PATH', 'HOME', 'XDG_CACHE_HOME', 'INIT_CWD', 'NODE_OPTIONS']);
foreign.add('DOCKER_HOST').add('TESTCONTAINERS_RYUK_DISABLED').add('JEST_WORKER_ID');

/** `KEY=value`, also behind a comment sign: what nobody sets by hand is told but not offered. */
const told = new Map(
  Array.from(read('.env.example').matchAll(/^(?:# )?([A-Z][A-Z0-9_]+)=(.*)$/gm), ([, key, value]) => [key!, value!]),
);
const schemas = new Map<string, z.ZodObject>([['libs/service-kit', commonConfig]]);

beforeAll(async () => {
  for (const [workspace, schema] of await configSchemas()) schemas.set(workspace, schema);
});

describe('.env.example', () => {
  test('tells every key that a service reads', () => {
    expect(schemas.size).toBeGreaterThanOrEqual(6);
    const missing = [...schemas].flatMap(([workspace, schema]) =>
      Object.keys(schema.shape).flatMap((key) => (told.has(key) ? [] : [`${key} of ${workspace}`])),
    );
    expect(missing).toEqual([]);
  });

  test('tells every key that the launcher, the embedded servers, compose, scripts and tests read', () => {
    expect([...keysInSources()].filter((key) => !told.has(key))).toEqual([]);
  });

  test('tells no key that nothing reads, and none twice', () => {
    const known = new Set([...keysInSources(), ...[...schemas.values()].flatMap(({ shape }) => Object.keys(shape))]);
    expect([...told.keys()].filter((key) => !known.has(key))).toEqual([]);
    expect(read('.env.example').match(/^(?:# )?[A-Z][A-Z0-9_]+=/gm)).toHaveLength(told.size);
  });

  test('tells the defaults that services and compose have', () => {
    const wrong = [...schemas].flatMap(([workspace, { shape }]) =>
      Object.entries(shape).flatMap(([key, field]) => {
        const byDefault = z.safeParse(field, undefined).data as string | number | string[] | undefined;
        const isTold = byDefault === undefined || String(byDefault) === told.get(key) || !hasValue(key);
        return isTold ? [] : [`${key} of ${workspace} is ${JSON.stringify(byDefault)} by default`];
      }),
    );
    const inCompose = read('docker-compose.yml').matchAll(/\$\{([A-Z_]+):-((?:[^{}]|\$\{[^}]*\})*)\}/g);
    for (const [, key, value] of inCompose) {
      if (hasValue(key!) && value !== '' && value !== told.get(key!)) wrong.push(`${key} of compose is ${value}`);
    }
    expect(wrong).toEqual([]);
  });

  test('says something about every key', () => {
    const lines = read('.env.example').split('\n');
    const silent = lines.filter((line, index) => {
      if (!/^[A-Z][A-Z0-9_]+=/.test(line)) return false;
      const before = lines.slice(0, index).findLast((other) => !/^[A-Z][A-Z0-9_]+=/.test(other));
      return !before?.startsWith('# ');
    });
    expect(silent).toEqual([]);
  });
});

/** Its default differs between npm start and compose, or is a secret: words tell it, not a value. */
function hasValue(key: string): boolean {
  const inWords = ['PUBLIC_HOST', 'PUBLIC_URL', 'NATS_URL', 'NATS_TOKEN', 'TRUSTED_PROXIES', 'DATA_DISK_PATH'];
  return !inWords.includes(key) && !/_(?:PASSWORD|SECRET|SECRET_FORMER)$/.test(key);
}

/** Names of environment variables as the code writes them. */
function keysInSources(): Set<string> {
  const found = new Set<string>();
  for (const path of ['site/src', 'libs/embedded/src', 'libs/test-kit/src', 'scripts', 'bench/src', 'tests'].flatMap(
    filesIn,
  )) {
    const text = read(path);
    for (const [, key] of text.matchAll(/\benv(?:\.|\[')([A-Z][A-Z0-9_]+)\b/g)) found.add(key!);
    for (const [, key] of text.matchAll(/\benv, '([A-Z][A-Z0-9_]+)'/g)) found.add(key!);
  }
  for (const [, key] of read('docker-compose.yml').matchAll(/\$\{([A-Z][A-Z0-9_]+)/g)) found.add(key!);
  for (const key of foreign) found.delete(key);
  return found;
}

function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(?:ts|mjs)$/.test(entry.name) && !entry.name.startsWith('env-example'))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length));
}
