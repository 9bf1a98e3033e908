import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ServerProcess, tailOf } from '@boardwire/embedded';
import { eventually } from '../eventually.ts';
import { programEnvironment, type FoundProgram } from '../programs/find-program.ts';

export interface PrometheusServerOptions {
  program: FoundProgram;
  /** Everything it writes goes here. */
  folder: string;
  /** The whole configuration. */
  configuration: string;
  port: number;
}

/** One series of an instant query. */
export interface Sample {
  metric: Record<string, string>;
  value: number;
}

/** A real Prometheus, for as long as a test runs. */
export class PrometheusServer {
  private constructor(
    private readonly process: ServerProcess,
    private readonly url: string,
  ) {}

  static async start({ program, folder, configuration, port }: PrometheusServerOptions): Promise<PrometheusServer> {
    await mkdir(folder, { recursive: true });
    const file = join(folder, 'prometheus.yaml');
    const logFile = join(folder, 'prometheus.log');
    await writeFile(file, configuration);
    const server = await ServerProcess.start({
      command: program.path,
      args: [
        `--config.file=${file}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      env: programEnvironment(program),
      logFile,
      stopSignal: 'SIGTERM',
      stopTimeoutMs: 5_000,
    });
    const url = `http://127.0.0.1:${port}`;
    const isReady = async () => {
      if (!(await fetch(`${url}/-/ready`)).ok) throw new Error('not ready');
    };
    await eventually(isReady, { timeoutMs: 15_000 }).catch(async (error: Error) => {
      await server.stop();
      throw new Error(`prometheus did not start: ${await tailOf(logFile)}`, { cause: error });
    });
    return new PrometheusServer(server, url);
  }

  /** An instant query, now. @throws what Prometheus says of a query that it can't read */
  async query(expression: string): Promise<Sample[]> {
    const answer = await this.#get<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(
      `query?query=${encodeURIComponent(expression)}`,
    );
    return answer.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  /** Rules as they were last evaluated. */
  async rules(): Promise<{ name: string; query: string; health: string; lastError?: string }[]> {
    const { groups } = await this.#get<{ groups: { rules: { name: string; query: string; health: string }[] }[] }>(
      'rules',
    );
    return groups.flatMap(({ rules }) => rules);
  }

  async stop(): Promise<void> {
    await this.process.stop();
  }

  async #get<T>(path: string): Promise<T> {
    const answer = (await (await fetch(`${this.url}/api/v1/${path}`)).json()) as { data: T; error?: string };
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.data;
  }
}

/** Runs promtool. @returns what it printed @throws with that, when it finds fault */
export async function promtool(program: FoundProgram, args: readonly string[], input?: string): Promise<string> {
  const tool = join(dirname(program.path), 'promtool');
  const running = promisify(execFile)(tool, [...args], { env: programEnvironment(program), timeout: 60_000 });
  running.child.stdin?.end(input ?? '');
  try {
    const { stdout, stderr } = await running;
    return stdout + stderr;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`promtool ${args.join(' ')}: ${stdout ?? ''}${stderr ?? ''}`, { cause: error });
  }
}
