export type HealthStatus = 'ok' | 'degraded' | 'starting' | 'draining' | 'unavailable';

export interface HealthReport {
  status: HealthStatus;
  reasons: string[];
}

/** Answers why something is not well, or undefined when it is. Must be cheap: it runs at each request of `/readyz`. */
export type HealthCheck = () => string | undefined;

/**
 * Readiness. Not ready only when starting, draining, without a hard dependency, or with a loop that doesn't live;
 * soft dependencies make it degraded and still ready: an outage of NATS must not take every pod out of service.
 */
export class Health {
  readonly #hard = new Map<string, HealthCheck>();
  readonly #soft = new Map<string, HealthCheck>();
  readonly #unhealthyLoops: () => string[];
  #phase: 'starting' | 'ready' | 'draining' = 'starting';
  #startingReason = 'starting';

  constructor(unhealthyLoops: () => string[] = () => []) {
    this.#unhealthyLoops = unhealthyLoops;
  }

  /** Not ready yet, and why. Does nothing once draining: a service that stops never comes back. */
  starting(reason: string): void {
    if (this.#phase === 'draining') return;
    this.#phase = 'starting';
    this.#startingReason = reason;
  }

  ready(): void {
    if (this.#phase === 'starting') this.#phase = 'ready';
  }

  draining(): void {
    this.#phase = 'draining';
  }

  isDraining(): boolean {
    return this.#phase === 'draining';
  }

  hard(name: string, check: HealthCheck): void {
    this.#hard.set(name, check);
  }

  soft(name: string, check: HealthCheck): void {
    this.#soft.set(name, check);
  }

  report(): HealthReport {
    if (this.#phase === 'draining') return { status: 'draining', reasons: ['draining'] };
    const broken = [...failures(this.#hard), ...this.#unhealthyLoops().map((loop) => `loop ${loop} does not beat`)];
    if (this.#phase === 'starting') return { status: 'starting', reasons: [this.#startingReason, ...broken] };
    if (broken.length > 0) return { status: 'unavailable', reasons: broken };
    const worn = failures(this.#soft);
    return worn.length > 0 ? { status: 'degraded', reasons: worn } : { status: 'ok', reasons: [] };
  }
}

function failures(checks: Map<string, HealthCheck>): string[] {
  const reasons: string[] = [];
  for (const [name, check] of checks) {
    const reason = reasonOf(check);
    if (reason !== undefined) reasons.push(`${name}: ${reason}`);
  }
  return reasons;
}

/** A check that throws has failed; it must not take `/readyz` down with it. */
function reasonOf(check: HealthCheck): string | undefined {
  try {
    return check();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
