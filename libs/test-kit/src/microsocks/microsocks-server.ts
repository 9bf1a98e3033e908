import { readFile } from 'node:fs/promises';
import { ServerProcess, tailOf } from '@boardwire/embedded';
import { eventually } from '../eventually.ts';
import { listens } from '../listens.ts';
import { programEnvironment, type FoundProgram } from '../programs/find-program.ts';

export interface MicrosocksServerOptions {
  program: FoundProgram;
  /** What it says of itself is appended here. */
  logFile: string;
  port: number;
  /** The address of this machine that it calls others from. */
  outgoing: string;
}

/** A real SOCKS 5 server on the loopback address, for as long as a test runs. Names it resolves itself. */
export class MicrosocksServer {
  private constructor(
    private readonly process: ServerProcess,
    private readonly logFile: string,
  ) {}

  static async start({ program, logFile, port, outgoing }: MicrosocksServerOptions): Promise<MicrosocksServer> {
    const server = await ServerProcess.start({
      command: program.path,
      args: ['-i', '127.0.0.1', '-p', String(port), '-b', outgoing],
      env: programEnvironment(program),
      logFile,
      stopSignal: 'SIGTERM',
      stopTimeoutMs: 2_000,
    });
    await eventually(() => listens(port)).catch(async (error: Error) => {
      await server.stop();
      throw new Error(`microsocks did not start: ${await tailOf(logFile)}`, { cause: error });
    });
    return new MicrosocksServer(server, logFile);
  }

  /** Where it has led its callers to, as they asked for it: `name:port`, or `address:port`. */
  async targets(): Promise<string[]> {
    const log = await readFile(this.logFile, 'utf8');
    return [...log.matchAll(/: connected to (\S+)\n/g)].map(([, target]) => target!);
  }

  /** Also ends what goes through it. */
  async stop(): Promise<void> {
    await this.process.stop();
  }
}
