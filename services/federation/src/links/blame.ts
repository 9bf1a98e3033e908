import type { WireItem } from '@boardwire/contracts';
import type { ItemOutcome } from '../ingest/item-outcome.ts';

/** Takes what became of the items that a carrier brought into account. */
export type Judge = (outcomes: readonly ItemOutcome[], items: readonly WireItem[], carrier: string) => Promise<void>;

/** Faults that an honest carrier can't have: it has checked what it passes on. */
const carriersFaults: ReadonlySet<string> = new Set(['too_large', 'malformed', 'signature', 'room', 'datahash']);

/**
 * Who is to blame for what became of an item, and for what: the carrier for one that doesn't prove itself, the origin for
 * one that it should not have signed. A key or a document that is unknown here may simply not have come yet, a removed
 * event is nobody's fault, and a header that doesn't link is its origin's.
 */
export function blameOf(
  outcome: ItemOutcome,
  item: WireItem,
  carrier: string,
): { site: string; reason: string } | undefined {
  if (outcome.outcome === 'refused') return blamed(originOf(item), outcome.reason);
  if (outcome.outcome !== 'unverifiable') return undefined;
  if (outcome.reason === 'prev') return blamed(originOf(item), outcome.reason);
  return carriersFaults.has(outcome.reason) ? blamed(carrier, outcome.reason) : undefined;
}

const blamed = (site: string | undefined, reason: string) => (site === undefined ? undefined : { site, reason });

/** What its header claims; for the outcomes above its signature has held. */
function originOf(item: WireItem): string | undefined {
  return claimOf(item)?.site;
}

export interface FeedClaim {
  site: string;
  epoch: string;
  oseq: number;
}

/** Which place an item says that it has. Proves nothing. */
export function claimOf({ h }: WireItem): FeedClaim | undefined {
  try {
    const { site, epoch, oseq } = JSON.parse(Buffer.from(h, 'base64url').toString()) as Partial<FeedClaim>;
    return typeof site === 'string' && typeof epoch === 'string' && Number.isSafeInteger(oseq)
      ? { site, epoch, oseq: oseq! }
      : undefined;
  } catch {
    return undefined;
  }
}
