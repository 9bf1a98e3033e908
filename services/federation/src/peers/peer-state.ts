import { peerStateSchema, type PeerState } from '@boardwire/contracts';

export type { PeerState };
export const peerStates = peerStateSchema.options;

/**
 * What happens to a peer. `begun`: the handshake is under way; `shaken`: both know each other's keys and rooms;
 * `caught_up`: its vector is ours; `lagging`: it answers, but falls behind or misses heartbeats; `lost`: it does not
 * answer; `returned`: it answers again; `suspended`, `resumed` and `revoked` are decisions.
 */
export const peerEvents = [
  'begun',
  'shaken',
  'caught_up',
  'lagging',
  'lost',
  'returned',
  'suspended',
  'resumed',
  'revoked',
] as const;
export type PeerEvent = (typeof peerEvents)[number];

type Steps = Partial<Record<PeerEvent, PeerState>>;

const decisions: Steps = { suspended: 'suspended', revoked: 'revoked' };
/** Of a peer that is known: it is behind until it is seen not to be. */
const seen: Steps = { ...decisions, caught_up: 'live', lagging: 'degraded', lost: 'offline', shaken: 'catching_up' };

const steps: Record<PeerState, Steps> = {
  invited: { ...decisions, begun: 'handshake' },
  handshake: { ...decisions, begun: 'handshake', shaken: 'catching_up', lost: 'invited' },
  catching_up: { ...seen, returned: 'catching_up' },
  live: { ...seen, returned: 'live' },
  degraded: { ...seen, returned: 'degraded' },
  offline: { ...seen, returned: 'catching_up' },
  suspended: { revoked: 'revoked', suspended: 'suspended', resumed: 'catching_up' },
  revoked: { revoked: 'revoked' },
};

/** The state after an event; undefined where such an event can't be, which leaves the state as it is. */
export function peerStateAfter(state: PeerState, event: PeerEvent): PeerState | undefined {
  return steps[state][event];
}

/** Whether anything is exchanged with a peer in this state. */
export function mayExchange(state: PeerState): boolean {
  return state === 'catching_up' || state === 'live' || state === 'degraded' || state === 'offline';
}
