import type { FederationPeer } from '@boardwire/contracts';

type PeerState = FederationPeer['state'];

export type Mood = 'good' | 'busy' | 'bad' | 'off';

/** What each state is called, how it looks, and what it means. */
export const peerStates: Readonly<Record<PeerState, { label: string; mood: Mood; meaning: string }>> = {
  invited: { label: 'Invited', mood: 'busy', meaning: 'The invitation has not been used yet' },
  handshake: { label: 'Handshake', mood: 'busy', meaning: 'The two sites are getting to know each other' },
  catching_up: { label: 'Catching up', mood: 'busy', meaning: 'What was said before is on its way' },
  live: { label: 'Live', mood: 'good', meaning: 'Everything said there is here within moments' },
  degraded: { label: 'Degraded', mood: 'bad', meaning: 'It answers, but falls behind' },
  offline: { label: 'Offline', mood: 'bad', meaning: 'It does not answer; it is tried again by itself' },
  suspended: { label: 'Suspended', mood: 'off', meaning: 'Nothing is exchanged until it is resumed' },
  revoked: { label: 'Revoked', mood: 'off', meaning: 'Nothing is exchanged with this site any more' },
};
