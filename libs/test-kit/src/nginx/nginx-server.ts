import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ServerProcess, tailOf } from '@boardwire/embedded';
import { programEnvironment, type FoundProgram } from '../programs/find-program.ts';
import { eventually } from '../eventually.ts';
import { listens } from '../listens.ts';

export interface NginxServerOptions {
  program: FoundProgram;
  /** Everything it writes goes here. */
  folder: string;
  /** The whole configuration; paths in it are relative to the folder. */
  configuration: string;
  /** Answers when it is up. */
  port: number;
}

/** A real nginx, for as long as a test runs. */
export class NginxServer {
  private constructor(private readonly process: ServerProcess) {}

  static async start({ program, folder, configuration, port }: NginxServerOptions): Promise<NginxServer> {
    await mkdir(folder, { recursive: true });
    const file = join(folder, 'nginx.conf');
    const logFile = join(folder, 'nginx.log');
    await writeFile(file, configuration);
    // Started by root, its workers would be another user, who can't read what the test wrote.
    const user = process.getuid?.() === 0 ? ' user root;' : '';
    const server = await ServerProcess.start({
      command: program.path,
      args: ['-p', folder, '-c', file, '-e', 'stderr', '-g', `daemon off;${user}`],
      env: programEnvironment(program),
      logFile,
      stopSignal: 'SIGTERM',
      stopTimeoutMs: 2_000,
    });
    await eventually(() => listens(port)).catch(async (error: Error) => {
      await server.stop();
      throw new Error(`nginx did not start: ${await tailOf(logFile)}`, { cause: error });
    });
    return new NginxServer(server);
  }

  async stop(): Promise<void> {
    await this.process.stop();
  }
}
