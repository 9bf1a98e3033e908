import { spawn, type ChildProcess } from 'node:child_process';
import { open } from 'node:fs/promises';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { processTree, signalProcess } from './process-table.ts';

export interface ServerCommand {
  command: string;
  args: string[];
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  uid?: number;
  gid?: number;
  /** Output of the process is appended here. */
  logFile: string;
  /** The signal that asks for an orderly end. */
  stopSignal: 'SIGINT' | 'SIGTERM';
  /** How long an orderly end may take before SIGKILL. */
  stopTimeoutMs: number;
}

/**
 * One server process. It runs in a session of its own, so that Ctrl-C on the terminal reaches the launcher only, and
 * has a guard beside it: a shell that waits on a pipe from us. However we die, also by SIGKILL, the pipe closes and the
 * guard stops the server, so that nothing is left behind.
 */
export class ServerProcess {
  private readonly child: ChildProcess;
  private guard: ChildProcess | undefined;
  /** Resolves when the process has ended, however it ended. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  private hasExited = false;

  private constructor(
    child: ChildProcess,
    private readonly command: ServerCommand,
  ) {
    this.child = child;
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.hasExited = true;
        this.guard?.kill('SIGKILL');
        resolve({ code, signal });
      });
    });
  }

  /** Starts the process; rejects when the command can't be run. It may still end at once: watch `exited`. */
  static async start(command: ServerCommand): Promise<ServerProcess> {
    await mkdir(dirname(command.logFile), { recursive: true });
    const log = await open(command.logFile, 'a', 0o600);
    try {
      const child = spawn(command.command, command.args, {
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
        ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
        ...(command.env === undefined ? {} : { env: command.env }),
        ...(command.uid === undefined ? {} : { uid: command.uid }),
        ...(command.gid === undefined ? {} : { gid: command.gid }),
      });
      const server = new ServerProcess(child, command);
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve);
        child.once('error', reject);
      });
      child.on('error', () => undefined);
      server.guard = startGuard(server.pid, command);
      child.unref();
      return server;
    } finally {
      await log.close();
    }
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get isRunning(): boolean {
    return !this.hasExited;
  }

  /** Asks for an orderly end, insists after the time limit, and resolves when the process is gone. */
  async stop(): Promise<void> {
    if (this.hasExited) return;
    this.child.ref();
    await this.resume();
    signalProcess(this.pid, this.command.stopSignal);
    const insist = setTimeout(() => signalProcess(this.pid, 'SIGKILL'), this.command.stopTimeoutMs);
    await this.exited;
    clearTimeout(insist);
  }

  /** SIGKILL, as a crash would do it; resolves when the process is gone. */
  async kill(): Promise<void> {
    if (this.hasExited) return;
    this.child.ref();
    signalProcess(this.pid, 'SIGKILL');
    await this.exited;
  }

  /** Freezes the process and its children: connections stay open, nothing answers. */
  async pause(): Promise<void> {
    await this.signalTree('SIGSTOP');
  }

  async resume(): Promise<void> {
    await this.signalTree('SIGCONT');
  }

  private async signalTree(signal: NodeJS.Signals): Promise<void> {
    if (this.hasExited) return;
    for (const pid of await processTree(this.pid)) signalProcess(pid, signal);
  }
}

const guardScript = `
read -r _
kill -s "$1" "$2" 2>/dev/null || exit 0
kill -s CONT "$2" 2>/dev/null
n=0
while [ $n -lt "$3" ] && kill -0 "$2" 2>/dev/null; do sleep 0.1; n=$((n + 1)); done
kill -s KILL "$2" 2>/dev/null`;

function startGuard(pid: number, command: ServerCommand): ChildProcess {
  const tenths = String(Math.ceil(command.stopTimeoutMs / 100));
  const signal = command.stopSignal.slice('SIG'.length);
  const guard = spawn('/bin/sh', ['-c', guardScript, 'boardwire-guard', signal, String(pid), tenths], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.on('error', () => undefined);
  guard.stdin?.on('error', () => undefined);
  guard.unref();
  (guard.stdin as unknown as { unref?: () => void } | null)?.unref?.();
  return guard;
}
