import { addCheckpointRequestSchema, federationLimits, type AddCheckpointAnswer } from '@boardwire/contracts';
import type { Logger } from '@boardwire/service-kit';
import type { Cosigner } from '@boardwire/signing';
import type { FederationMetrics } from '../metrics.ts';
import { FedError } from '../wire/fed-error.ts';
import { PeerRates } from '../wire/peer-rates.ts';
import { parseBody, type SiteRoute } from '../wire/wire-route.ts';
import { cosign } from './own-witness.ts';
import { readPresented, type PresentedCheckpoint } from './presented-checkpoint.ts';
import type { Judgement, WitnessBook } from './witness-book.ts';

export interface AddCheckpointOptions {
  book: WitnessBook;
  witness: Cosigner;
  metrics: FederationMetrics;
  logger: Logger;
}

const { witnessBodyBytesMax, witnessPerSecond, witnessBurst } = federationLimits;

/** `POST /fed/v1/witness/add-checkpoint`: a peer has its audit log's newest checkpoint cosigned (C2SP tlog-witness). */
export function addCheckpointRoute(options: AddCheckpointOptions): SiteRoute {
  const { book, witness, metrics } = options;
  const rates = new PeerRates(undefined, () => ({ perSecond: witnessPerSecond, burst: witnessBurst }));
  return {
    method: 'POST',
    path: 'witness/add-checkpoint',
    bodyBytesMax: witnessBodyBytesMax,
    async answer({ peer, body }) {
      rates.enter(peer);
      const presented = readPresented(parseBody(addCheckpointRequestSchema, body));
      const judgement = await book.take(presented, peer.site);
      metrics.witnessed('witness', judgement.outcome);
      assertTaken(judgement, { presented, site: peer.site, options });
      // Only now: what is cosigned was stored before.
      const cosignature = judgement.outcome === 'seen' ? cosign(presented.note, witness) : null;
      return { status: 200, json: { cosignature, size: judgement.size } satisfies AddCheckpointAnswer };
    },
  };
}

interface Taking {
  presented: PresentedCheckpoint;
  site: string;
  options: AddCheckpointOptions;
}

/** @throws FedError `equivocation`, `too_large` */
function assertTaken(
  judgement: Judgement,
  { presented: { origin, size }, site, options: { logger } }: Taking,
): asserts judgement is Extract<Judgement, { size: number }> {
  if (judgement.outcome === 'too_many') throw new FedError('too_large', { detail: 'too many logs of one site' });
  if (judgement.outcome === 'smaller')
    logger.warn({ event: 'witness.smaller', site, origin, size, seen: judgement.size });
  if (judgement.outcome !== 'forked') return;
  const { kind, isNew } = judgement;
  if (isNew) logger.error({ event: 'witness.forked', site, origin, size, kind });
  throw new FedError('equivocation', { detail: `the log does not go on from what was seen of it (${kind})` });
}
