import { FedError } from './fed-error.ts';

const perSecond = 200;
const burst = 1_000;
const addressesMax = 10_000;

interface Meter {
  tokens: number;
  at: number;
}

/**
 * How many requests an address may fail to prove. Only failures count, and generously: behind a proxy or Tor many peers
 * have one address, and an honest one must not be shut out by another's forgeries sooner than those cost us anything.
 */
export class StrangerGate {
  readonly #meters = new Map<string, Meter>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @throws FedError `rate_limited` */
  enter(address: string): void {
    const meter = this.#meters.get(address);
    if (meter === undefined) return;
    this.#fill(meter);
    if (meter.tokens >= 1) return;
    throw new FedError('rate_limited', { detail: 'too many requests that prove nothing', retryAfterMs: 1_000 });
  }

  failed(address: string): void {
    const meter = this.#meters.get(address) ?? { tokens: burst, at: this.#now() };
    this.#fill(meter);
    meter.tokens -= 1;
    this.#meters.delete(address);
    this.#meters.set(address, meter);
    if (this.#meters.size > addressesMax) this.#meters.delete(this.#meters.keys().next().value ?? '');
  }

  #fill(meter: Meter): void {
    const at = this.#now();
    meter.tokens = Math.min(burst, meter.tokens + ((at - meter.at) * perSecond) / 1_000);
    meter.at = at;
  }
}
