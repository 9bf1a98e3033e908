import { randomUUID } from 'node:crypto';
import { accessTokenAudience, limits, type AccessClaims } from '@boardwire/contracts';
import { SignJWT } from 'jose';
import type { StandInChat } from './stand-in-chat.ts';

const hoursMs = 3 * 3_600_000;

/** Tokens of so many publishers, as chat would sign them; long enough for the longest bench. */
export function accessTokens(chat: StandInChat, count: number): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => accessToken(chat, index)));
}

function accessToken({ signing }: StandInChat, index: number): Promise<string> {
  const issuedAt = Math.floor(Date.now() / 1_000);
  const claims: Pick<AccessClaims, 'name' | 'roles' | 'sid' | 'boards'> = {
    name: `bench-${index}`,
    roles: ['publisher'],
    sid: randomUUID(),
    boards: [{ board: '*', publish: ['>'], subscribe: ['>'] }],
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'EdDSA', kid: signing.keyId, typ: 'JWT' })
    .setIssuer('bench')
    .setAudience(accessTokenAudience)
    .setSubject(`bench-${index}`)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + hoursMs / 1_000)
    .sign(signing.privateKey);
}

/** A user may hold so many connections; what is beyond needs another user. */
export function usersFor(connections: number): number {
  return Math.max(1, Math.ceil(connections / limits.connectionsPerPublisherMax));
}
