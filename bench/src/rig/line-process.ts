import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { pinned } from './cores.ts';

export interface LineCommand {
  command: string;
  args: readonly string[];
  core: string | undefined;
  /** Ends it when it has not done so by itself. */
  signal?: AbortSignal;
}

const stopMs = 2_000;
const errorCharsMax = 4_000;

/**
 * A child that takes commands and gives answers, a line each. It ends when its standard input does, so nothing is left
 * when the bench is killed.
 */
export class LineProcess {
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #lines: string[] = [];
  readonly #exited: Promise<void>;
  #wake: (() => void) | undefined;
  #errors = '';
  #hasExited = false;

  constructor({ command, args, core, signal }: LineCommand) {
    const [program, words] = pinned(core, command, args);
    this.#name = command;
    this.#child = spawn(program, words, {
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(signal === undefined ? {} : { signal }),
    });
    this.#exited = new Promise((resolve) => {
      const done = () => {
        this.#hasExited = true;
        this.#wake?.();
        resolve();
      };
      this.#child.once('exit', done);
      this.#child.once('error', (error) => {
        this.#errors += error.message;
        done();
      });
    });
    this.#child.stdin!.on('error', () => undefined);
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-errorCharsMax);
    });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      this.#lines.push(line);
      this.#wake?.();
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get complaints(): string {
    return this.#errors.trim();
  }

  send(line: string): void {
    this.#child.stdin!.write(`${line}\n`);
  }

  /** The next line that begins so; what comes before it is dropped. @throws when the process ends or the time is over. */
  async answer(start: string, timeoutMs: number): Promise<string> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const line = this.#lines.shift();
      if (line?.startsWith(start)) return line;
      if (line !== undefined) continue;
      if (this.#hasExited) throw new Error(`${this.#name} ended: ${this.complaints}`);
      const left = deadline - performance.now();
      if (left <= 0) {
        throw new Error(`${this.#name} gave no "${start}" within ${timeoutMs / 1_000} s. ${this.complaints}`);
      }
      // oxlint-disable-next-line no-await-in-loop -- line by line
      await this.#nextLine(left);
    }
  }

  async stop(): Promise<void> {
    this.#child.stdin!.end();
    const insist = setTimeout(() => this.#child.kill('SIGKILL'), stopMs);
    await this.#exited;
    clearTimeout(insist);
  }

  async #nextLine(timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
