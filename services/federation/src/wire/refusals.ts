import type { FederationErrorCode } from '@boardwire/contracts';
import type { DecisionReporter, Logger } from '@boardwire/service-kit';
import type { HopFailure } from '../hop/hop-profile.ts';
import type { FederationMetrics } from '../metrics.ts';
import { fedErrorFrom, FedError } from './fed-error.ts';

export interface RefusalsOptions {
  metrics: FederationMetrics;
  logger: Logger;
  /** Undefined where no audit is configured. */
  decisions: Pick<DecisionReporter, 'report'> | undefined;
}

/** 401 and 421: what was sent proves nothing. */
const unproven: ReadonlySet<FederationErrorCode> = new Set<HopFailure>([
  'sig_missing',
  'sig_invalid',
  'sig_expired',
  'digest_mismatch',
  'nonce_replayed',
  'clock_skew',
  'wrong_destination',
]);

const isUnproven = (code: FederationErrorCode): code is HopFailure => unproven.has(code);

/** Every refusal is counted and comes into the audit, where equal ones of a second are one record with a count. */
export class Refusals {
  readonly #options: RefusalsOptions;

  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  /** @param site as the hop signature has proven; undefined where none has */
  of(thrown: unknown, { site, route }: { site: string | undefined; route: string }): FedError {
    const { metrics, logger } = this.#options;
    const refusal = fedErrorFrom(thrown);
    if (refusal === undefined) {
      logger.error({ event: 'wire.failed', route, site, err: thrown });
      return new FedError('unavailable');
    }
    if (isUnproven(refusal.code)) metrics.hopRefused(refusal.code);
    if (refusal.code === 'unavailable') logger.warn({ event: 'wire.unavailable', route, err: refusal });
    else this.report(`federation.${refusal.code}`, site);
    return refusal;
  }

  /** Something hostile or wrong that is no refusal of a whole request. */
  report(action: string, site: string | undefined): void {
    this.#options.decisions?.report({ action, outcome: 'refused', actor: site ?? 'unknown' });
  }
}
