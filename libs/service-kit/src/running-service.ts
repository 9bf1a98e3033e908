import { drainMs, lameDuckMs, stopMaxMs, type Environment } from './config.ts';
import type { ServiceContext } from './service-context.ts';

/** A service that runs, in a process of its own or beside others. */
export interface RunningService {
  readonly name: string;
  readonly internalUrl: string;
  readonly publicUrl?: string;
  /** After so long it may be taken for stuck. */
  readonly stopMaxMs: number;
  /** Drains and stops; the same promise at every call. */
  stop(): Promise<void>;
}

export type Boot = (env: Environment) => Promise<RunningService>;

export interface StopStep {
  name: string;
  run: () => Promise<void> | void;
}

/** Beyond the drain time, which the step that ends HTTP may use up. */
const stepGraceMs = 4_000;

/**
 * What `boot` answers. `stop()` turns readiness off, keeps accepting for a while in production, then runs the steps
 * in order (stop accepting, drain, flush, close). A step that fails or hangs is logged and does not hold up the rest.
 */
export function runningService(
  context: ServiceContext,
  addresses: { internalUrl: string; publicUrl?: string },
  steps: readonly StopStep[],
): RunningService {
  let stopping: Promise<void> | undefined;
  const stop = () => (stopping ??= stopInOrder(context, steps));
  return { name: context.name, ...addresses, stopMaxMs: stopMaxMs(context.config), stop };
}

/**
 * Starts a service piece by piece: `start` hands over how to stop each piece as soon as it is open. When a later piece
 * fails, those before it are closed again, last first; when all is up, that is the order of `stop()`.
 */
export async function startService(
  context: ServiceContext,
  start: (onStop: (name: string, run: StopStep['run']) => void) => Promise<{ internalUrl: string; publicUrl?: string }>,
): Promise<RunningService> {
  const steps: StopStep[] = [];
  try {
    const addresses = await start((name, run) => steps.unshift({ name, run }));
    return runningService(context, addresses, steps);
  } catch (error) {
    await runInOrder(context, steps);
    throw error;
  }
}

async function stopInOrder(context: ServiceContext, steps: readonly StopStep[]): Promise<void> {
  const { logger, health, config } = context;
  logger.info({ event: 'service.draining' });
  health.draining();
  await sleep(lameDuckMs(config));
  await runInOrder(context, steps);
  logger.info({ event: 'service.stopped' });
}

async function runInOrder({ logger, config }: ServiceContext, steps: readonly StopStep[]): Promise<void> {
  const maxMs = drainMs(config) + stepGraceMs;
  for (const { name, run } of steps) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- the order is the point
      await bounded({ name, run }, maxMs);
    } catch (error) {
      logger.error({ event: 'service.stop_failed', step: name, err: error });
    }
  }
}

async function bounded({ name, run }: StopStep, maxMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} did not end within ${maxMs} ms`)), maxMs);
  });
  try {
    await Promise.race([run(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
