import type { Target } from '../load/load-generator.ts';
import { LineProcess, type LineCommand } from '../rig/line-process.ts';
import type { Contender, FeedPlan } from './contender.ts';

const startMs = 20_000;
/** A server that can't keep up takes longer than its plan. */
const lateMs = 60_000;

export interface LineContenderOptions extends LineCommand {
  name: string;
  target: (port: number) => Target;
}

/** A server that makes its own events when it is told `feed`, as `native/floor.c` describes. */
export class LineContender implements Contender {
  readonly name: string;
  readonly target: Target;
  readonly #process: LineProcess;
  #next = 1;

  private constructor(name: string, child: LineProcess, target: Target) {
    this.name = name;
    this.#process = child;
    this.target = target;
  }

  static async start({ name, target, ...command }: LineContenderOptions): Promise<LineContender> {
    const child = new LineProcess(command);
    try {
      const port = Number((await child.answer('port ', startMs)).slice('port '.length));
      return new LineContender(name, child, target(port));
    } catch (error) {
      await child.stop();
      throw error;
    }
  }

  get pid(): number {
    return this.#process.pid;
  }

  get next(): number {
    return this.#next;
  }

  async feed({ rate, burst, seconds, isBatched }: FeedPlan): Promise<number> {
    const ms = Math.round(seconds * 1_000);
    this.#process.send(`feed ${rate} ${burst} ${ms} ${this.#next} ${isBatched ? 1 : 0}`);
    const sent = Number((await this.#process.answer('fed ', ms + lateMs)).slice('fed '.length));
    this.#next += sent;
    return sent;
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }
}
