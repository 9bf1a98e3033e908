import type { Logger, Loop } from '@boardwire/service-kit';
import { endpointsOf, type FederationConfig } from '../config.ts';
import { dialerOptions } from '../dialing/dialing-config.ts';
import { hostOf } from '../dialing/peer-url.ts';
import type { CertificateOutcome, FederationMetrics } from '../metrics.ts';
import { seeCertificate } from './see-certificate.ts';

export interface OwnCertificatesOptions {
  addresses: readonly string[];
  metrics: FederationMetrics;
  logger: Logger;
  /** Certificate authorities in place of the platform's. */
  ca?: string;
}

const everyMs = 3_600_000;
/** Longer than a look takes. */
const lookMaxMs = 15_000;

/**
 * Where this site shows a certificate: its public address and the endpoints of its document. None where every way out is
 * a proxy: to ask past it for one's own name would tell where the site is.
 */
export function certifiedAddresses(config: FederationConfig): string[] {
  if (dialerOptions(config).proxy?.isForAll === true) return [];
  const { PUBLIC_URL: own } = config;
  const addresses = new Set([...(own === undefined ? [] : [own]), ...endpointsOf(config)]);
  return [...addresses].filter((address) => {
    const url = new URL(address);
    return url.protocol === 'https:' && !hostOf(url).endsWith('.onion');
  });
}

/**
 * Looks once an hour at the certificates that this site is found behind. The service ends no TLS itself, so it looks as
 * another site would: from outside, at its own address.
 */
export class OwnCertificates {
  readonly #options: OwnCertificatesOptions;
  readonly #expiresAtMs = new Map<string, number>();
  readonly #outcomes = new Map<string, CertificateOutcome>();

  constructor(options: OwnCertificatesOptions) {
    this.#options = options;
    options.metrics.watchCertificates(() => this.#expiresAtMs);
  }

  /** A supervised loop. */
  async run(loop: Loop): Promise<void> {
    while (!loop.signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      await loop.idle(lookMaxMs, this.look(loop.signal));
      // oxlint-disable-next-line no-await-in-loop
      await loop.idle(everyMs);
    }
  }

  async look(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#options.addresses.map((address) => this.#lookAt(address, signal)));
  }

  async #lookAt(address: string, signal: AbortSignal): Promise<void> {
    const { host } = new URL(address);
    try {
      const { expiresAtMs, isTrusted, reason } = await seeCertificate(address, { signal, ca: this.#options.ca });
      this.#expiresAtMs.set(host, expiresAtMs);
      this.#saw(host, isTrusted ? 'trusted' : 'untrusted', { expires: new Date(expiresAtMs).toISOString(), reason });
    } catch (error) {
      // What was seen last stays true: a certificate ends when it said that it would.
      if (!signal.aborted) this.#saw(host, 'unreachable', { err: error });
    }
  }

  #saw(host: string, outcome: CertificateOutcome, more: object): void {
    const { metrics, logger } = this.#options;
    metrics.certificateSeen(outcome);
    if (this.#outcomes.get(host) === outcome) return;
    this.#outcomes.set(host, outcome);
    const line = { event: 'certificate.seen', host, outcome, ...more };
    if (outcome === 'untrusted') logger.warn(line);
    else logger.info(line);
  }
}
