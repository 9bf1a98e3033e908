import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const bin = join(import.meta.dirname, '..', '..', 'tools', 'audit-cli', 'bin', 'boardwire-audit.mjs');
const timeoutMs = 60_000;

export interface Ended {
  code: number;
  out: string;
  err: string;
}

/** Somebody with nothing but the built program, a token, a folder and a site's public address. */
export class Auditor {
  private constructor(
    private readonly url: string,
    readonly folder: string,
  ) {}

  static async of(url: string, token: string): Promise<Auditor> {
    const auditor = new Auditor(url, await mkdtemp(join(tmpdir(), 'boardwire-auditor-')));
    await auditor.takes(token);
    return auditor;
  }

  at(...names: string[]): string {
    return join(this.folder, ...names);
  }

  takes(token: string): Promise<void> {
    return writeFile(this.at('token'), `${token}\n`);
  }

  /** Runs the program as a child process. */
  run(...args: string[]): Promise<Ended> {
    return new Promise((resolve) => {
      execFile(process.execPath, [bin, ...args], { timeout: timeoutMs }, (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code), out, err });
      });
    });
  }

  /** Into `log`, or another folder. */
  fetches(more: readonly string[] = [], into = 'log'): Promise<Ended> {
    return this.run('fetch', '--url', this.url, '--token-file', this.at('token'), '--out', this.at(into), ...more);
  }

  /** What every check is given. */
  key(): string[] {
    return ['--key', this.at('log', 'key')];
  }

  /** And those by tiles. */
  tiled(): string[] {
    return [...this.key(), '--checkpoint', this.at('log', 'checkpoint'), '--tiles', this.at('log')];
  }

  async leaves(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
