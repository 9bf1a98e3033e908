import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestInfrastructure } from '@boardwire/test-kit';

const run = promisify(execFile);

/** A way in which operators back Postgres up, as docs/operations.md tells it. */
export interface BackupWay {
  name: string;
  /** Why it can't be tried here; undefined when it can. */
  unavailable: (infrastructure: TestInfrastructure) => Promise<string | undefined>;
  backUp: (infrastructure: TestInfrastructure, to: string) => Promise<void>;
  /** Into a server that has never held the site. */
  putBack: (infrastructure: TestInfrastructure, from: string) => Promise<void>;
}

const copyOfFiles: BackupWay = {
  name: 'a copy of the files of the stopped server',
  unavailable: ({ postgres }) =>
    Promise.resolve(postgres.kind === 'embedded' ? undefined : 'the files of Postgres are in a container'),
  async backUp({ postgres, folder }, to) {
    await postgres.stop();
    // With the owner of every file: Postgres runs as another user.
    await run('cp', ['-a', join(folder, 'postgres'), to]);
    await postgres.start();
  },
  async putBack({ postgres, folder }, from) {
    await postgres.stop();
    await rm(join(folder, 'postgres'), { recursive: true });
    await run('cp', ['-a', from, join(folder, 'postgres')]);
    await postgres.start();
  },
};

const dump: BackupWay = {
  name: 'a dump by pg_dumpall',
  async unavailable({ postgres }) {
    const server = /\d+/.exec(postgres.description)?.[0];
    const program = await run('pg_dumpall', ['--version']).catch(() => undefined);
    const version = program && /(\d+)(?:\.\d+)?/.exec(program.stdout)?.[1];
    if (version === undefined) return 'there is no pg_dumpall';
    return Number(version) >= Number(server) ? undefined : `pg_dumpall ${version} can't read ${postgres.description}`;
  },
  async backUp({ postgres }, to) {
    await run('pg_dumpall', ['--no-password', '--dbname', postgres.url, '--file', to], withPassword(postgres.url));
  },
  async putBack({ postgres }, from) {
    // That its administrator exists already is the one error there is.
    const args = ['--no-password', '--quiet', '--no-psqlrc', '--dbname', postgres.url, '--file', from];
    await run('psql', args, withPassword(postgres.url));
  },
};

/** It doesn't reach the programs that pg_dumpall starts by the address. */
function withPassword(url: string): { env: NodeJS.ProcessEnv } {
  return { env: { ...process.env, PGPASSWORD: decodeURIComponent(new URL(url).password) } };
}

export const backupWays: readonly BackupWay[] = [copyOfFiles, dump];
