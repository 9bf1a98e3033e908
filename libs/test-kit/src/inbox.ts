export interface WaitOptions {
  /** Default 5,000. */
  timeoutMs?: number;
}

interface Waiter<T> {
  resolve(item: T): void;
  reject(error: Error): void;
}

/** What arrived and was not taken yet. Waiting for more is bounded, and ends when nothing more can come. */
export class Inbox<T> {
  private readonly items: T[] = [];
  private readonly waiters: Waiter<T>[] = [];
  private readonly endListeners: (() => void)[] = [];
  private reason: string | undefined;

  get hasEnded(): boolean {
    return this.reason !== undefined;
  }

  put(item: T): void {
    const waiter = this.waiters.shift();
    if (waiter) waiter.resolve(item);
    else this.items.push(item);
  }

  end(reason: string): void {
    if (this.reason !== undefined) return;
    this.reason = reason;
    for (const waiter of this.waiters.splice(0)) waiter.reject(new Error(reason));
    for (const listener of this.endListeners.splice(0)) listener();
  }

  next({ timeoutMs = 5_000 }: WaitOptions = {}): Promise<T> {
    if (this.items.length > 0) return Promise.resolve(this.items.shift() as T);
    if (this.reason !== undefined) return Promise.reject(new Error(this.reason));
    return new Promise((resolve, reject) => {
      const waiter: Waiter<T> = {
        resolve: (item) => {
          clearTimeout(timer);
          resolve(item);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      const timer = setTimeout(() => {
        this.waiters.splice(this.waiters.indexOf(waiter), 1);
        reject(new Error(`nothing arrived within ${Math.round(timeoutMs)} ms`));
      }, timeoutMs);
      this.waiters.push(waiter);
    });
  }

  /** @throws Error that shows what came instead. */
  async until(condition: (item: T) => boolean, { timeoutMs = 5_000 }: WaitOptions = {}): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    const others: T[] = [];
    for (;;) {
      const item = await this.next({ timeoutMs: Math.max(1, deadline - performance.now()) }).catch((error: unknown) => {
        throw new Error(`${(error as Error).message}; ${inVain(timeoutMs, others)}`, { cause: error });
      });
      if (condition(item)) return item;
      others.push(item);
    }
  }

  ended({ timeoutMs = 5_000 }: WaitOptions = {}): Promise<void> {
    if (this.reason !== undefined) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`still open after ${timeoutMs} ms`)), timeoutMs);
      this.endListeners.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

const shownMax = 5;
const shownCharsMax = 200;

/** What came instead says more about a fault than that it was waited for. */
function inVain(timeoutMs: number, others: readonly unknown[]): string {
  const newest = others.slice(-shownMax).map((item) => `\n  ${JSON.stringify(item).slice(0, shownCharsMax)}`);
  return `waited up to ${timeoutMs} ms, and of ${others.length} that came none was it. The last ones:${newest.join('')}`;
}
