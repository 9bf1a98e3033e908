/**
 * A server we started, or one that was given to us by its address. Stopped or killed, it can be started again on the
 * same port with the same data; that is what fault tests need.
 */
export interface ControlledServer {
  readonly kind: 'embedded' | 'external' | 'container';
  readonly port: number;
  /** Process id while it runs and is ours; undefined otherwise. */
  readonly pid: number | undefined;
  /** What runs: `postgres 17.10 (embedded)`, for a line on the terminal. */
  readonly description: string;
  /** Starts it again after `stop` or `kill`, on the same port with the same data; resolves when it answers. */
  start(): Promise<void>;
  /** An orderly end. Safe to call twice. */
  stop(): Promise<void>;
  /** An orderly end and a new start on the same port. */
  restart(): Promise<void>;
  /** A crash: SIGKILL. */
  kill(): Promise<void>;
  /** Freezes it: connections stay open and nothing answers, until `resume`. */
  pause(): Promise<void>;
  resume(): Promise<void>;
}

/** What an external server answers to everything that only its owner may do. */
export function notOurs(name: string): () => Promise<never> {
  return () => Promise.reject(new Error(`${name} was given by its address: it is not ours to start or kill`));
}
