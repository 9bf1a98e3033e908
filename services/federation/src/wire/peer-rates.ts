import { federationLimits } from '@boardwire/contracts';
import { FedError } from './fed-error.ts';
import type { KnownPeer } from './peer-book.ts';

interface Meter {
  tokens: number;
  at: number;
  pushes: number;
}

interface Rate {
  perSecond: number;
  burst: number;
}

/**
 * How much a peer may send. A request is let in while there is anything in its bucket, before its body is read, and what
 * was in it is paid afterwards: the bucket may go below nothing, and then fills up again at the peer's rate.
 */
export class PeerRates {
  readonly #meters = new Map<string, Meter>();
  readonly #now: () => number;
  readonly #rateOf: (peer: KnownPeer) => Rate;

  constructor(now: () => number = () => performance.now(), rateOf: (peer: KnownPeer) => Rate = eventRateOf) {
    this.#now = now;
    this.#rateOf = rateOf;
  }

  /** @throws FedError `rate_limited` with the time after which it may come again */
  enter(peer: KnownPeer): void {
    const { perSecond } = this.#rateOf(peer);
    const meter = this.#filled(peer);
    if (meter.tokens < 1) {
      const retryAfterMs = Math.ceil(((1 - meter.tokens) * 1_000) / perSecond);
      throw new FedError('rate_limited', { detail: 'more than its rate', retryAfterMs });
    }
    meter.tokens -= 1;
  }

  /** For what a request held, beside itself. */
  spend(peer: KnownPeer, events: number): void {
    this.#filled(peer).tokens -= events;
  }

  /** @throws FedError `rate_limited` while as many pushes of the peer are under way as may be */
  async push<T>(peer: KnownPeer, work: () => Promise<T>): Promise<T> {
    const meter = this.#filled(peer);
    if (meter.pushes >= federationLimits.pushesPerPeerMax) {
      throw new FedError('rate_limited', { detail: 'too many pushes at once' });
    }
    meter.pushes += 1;
    try {
      return await work();
    } finally {
      meter.pushes -= 1;
    }
  }

  /** Only peers have one, so there are as many as there are peers. */
  #filled(peer: KnownPeer): Meter {
    const { perSecond, burst } = this.#rateOf(peer);
    const at = this.#now();
    const meter = this.#meters.get(peer.site) ?? { tokens: burst, at, pushes: 0 };
    meter.tokens = Math.min(burst, meter.tokens + ((at - meter.at) * perSecond) / 1_000);
    meter.at = at;
    this.#meters.set(peer.site, meter);
    return meter;
  }
}

function eventRateOf({ isTrusted }: KnownPeer): Rate {
  const { newPeerEventsPerSecond, newPeerEventsBurst, trustedPeerFactor } = federationLimits;
  const factor = isTrusted ? trustedPeerFactor : 1;
  return { perSecond: newPeerEventsPerSecond * factor, burst: newPeerEventsBurst * factor };
}
