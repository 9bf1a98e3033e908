import { fingerprintOf, type PeerDecision, type PeerDecisionRequest } from '@boardwire/contracts';
import type { Database, DecisionOutbox } from '@boardwire/database';
import { AppError } from '@boardwire/service-kit';
import type { PeerState } from '../peers/peer-state.ts';
import { PeerStore, type Peer } from '../peers/peer-store.ts';

export interface PeerDecisionsOptions {
  database: Database;
  decisions: DecisionOutbox;
  /** Puts a site out of every room that this one administers. */
  removeFromRooms: (site: string) => Promise<void>;
  /** A decision was taken and is committed: whoever serves or dials the peer looks at it anew. */
  onDecided: (site: string) => void;
}

export interface DecidedBy {
  actor: string;
  request: PeerDecisionRequest;
}

/** In which states a decision makes sense. */
const allowed: Record<PeerDecision, (state: PeerState) => boolean> = {
  confirm: (state) => state !== 'suspended' && state !== 'revoked',
  suspend: (state) => state !== 'suspended' && state !== 'revoked',
  resume: (state) => state === 'suspended',
  // Again for one whose removal from a room had failed.
  revoke: () => true,
  trust: (state) => state !== 'revoked',
  distrust: () => true,
};

/** What administrators decide about peers. Each decision is one that audit hears of, with what it changed. */
export class PeerDecisions {
  constructor(private readonly options: PeerDecisionsOptions) {}

  /** @throws AppError `not_found`, or `conflict` when the state doesn't allow it or the fingerprint is another one */
  async decide(site: string, decision: PeerDecision, by: DecidedBy): Promise<void> {
    const { database, decisions, onDecided, removeFromRooms } = this.options;
    if (decision === 'confirm') await this.#assertFingerprint(site, by);
    if (decision === 'revoke') await removeFromRooms(site);
    await database.transaction(async (transaction) => {
      const peers = new PeerStore(transaction);
      const before = await peers.lock(site);
      if (before === undefined) throw unknownPeer();
      if (!allowed[decision](before.state)) {
        throw new AppError('conflict', { detail: `a peer that is ${before.state} can’t be told to ${decision}` });
      }
      await carryOut(peers, { site, decision, reason: by.request.reason });
      const after = (await peers.find(site))!;
      const { actor, request } = by;
      const reason = request.reason === undefined ? {} : { reason: request.reason };
      const detail = { peer: site, name: before.name, ...reason, before: shown(before), after: shown(after) };
      await decisions.add(transaction, { action: `federation.peer.${decision}`, outcome: 'done', actor, detail });
    });
    onDecided(site);
  }

  /** A wrong one is worth knowing of: somebody else may have come with the invitation. */
  async #assertFingerprint(site: string, { actor, request }: DecidedBy): Promise<void> {
    const { database, decisions } = this.options;
    const peer = await new PeerStore(database).find(site);
    if (peer === undefined) throw unknownPeer();
    if (request.fingerprint === undefined) throw new AppError('invalid', { detail: 'the fingerprint is needed' });
    if (plain(request.fingerprint) === plain(fingerprintOf(site))) return;
    const detail = { peer: site, name: peer.name, given: request.fingerprint, fingerprint: fingerprintOf(site) };
    await database.transaction((transaction) =>
      decisions.add(transaction, { action: 'federation.peer.confirm', outcome: 'refused', actor, detail }),
    );
    throw new AppError('conflict', { detail: 'this is not the fingerprint of that site' });
  }
}

async function carryOut(
  peers: PeerStore,
  { site, decision, reason }: { site: string; decision: PeerDecision; reason: string | undefined },
): Promise<void> {
  if (decision === 'confirm') await peers.confirm(site);
  else if (decision === 'suspend') await peers.happened(site, 'suspended', reason);
  else if (decision === 'resume') await peers.resume(site);
  else if (decision === 'revoke') await peers.happened(site, 'revoked', reason);
  else await peers.trust(site, decision === 'trust');
}

const unknownPeer = () => new AppError('not_found', { detail: 'no such peer' });
const shown = ({ state, isTrusted }: Peer) => ({ state, trusted: isTrusted });
/** People read it out with pauses, and write it as they hear it. */
const plain = (fingerprint: string) => fingerprint.replaceAll(/[\s-]/g, '').toLowerCase();
