import type { IncomingMessage } from 'node:http';
import { federationLimits, limits, type PeerScope } from '@boardwire/contracts';
import { inflate } from '../dialing/inflate.ts';
import { HopError, hopProtocol } from '../hop/hop-profile.ts';
import { checkBody, type HopVerifier, type VerifiedHop } from '../hop/hop-verifier.ts';
import { oneValue } from '../hop/signature-base.ts';
import { parseStrictJson } from '../hop/strict-json.ts';
import { mayExchange } from '../peers/peer-state.ts';
import { FedError } from './fed-error.ts';
import type { NewerKeys } from './newer-keys.ts';
import type { KnownPeer, PeerBook, PeerGrant } from './peer-book.ts';
import type { PeerRates } from './peer-rates.ts';
import { readBody } from './read-body.ts';
import type { StrangerGate } from './stranger-gate.ts';

/** A request as it came in. */
export interface WireRequest {
  raw: IncomingMessage;
  /** Of whoever sent it to the site. */
  address: string;
}

export interface ProvenRequest {
  peer: KnownPeer;
  hop: VerifiedHop;
}

export interface WireDoorParts {
  verifier: HopVerifier;
  book: PeerBook;
  rates: PeerRates;
  gate: StrangerGate;
  newerKeys: NewerKeys;
}

/**
 * The order of BF/1, cheap checks first: what the address may still try; a peer that is known; the signature on the headers
 * and its nonce; the peer's state and its bucket; then the body, its size and time, its digest; what is inside it last.
 */
export class WireDoor {
  readonly #parts: WireDoorParts;

  constructor(parts: WireDoorParts) {
    this.#parts = parts;
  }

  /** Who sent it, by its headers alone. @throws HopError, FedError */
  async prove({ raw, address }: WireRequest): Promise<ProvenRequest> {
    const { verifier, book, gate, newerKeys } = this.#parts;
    gate.enter(address);
    try {
      assertVersion(raw);
      const { site, kid } = verifier.claim(raw.headersDistinct);
      const peer = await book.find(site);
      // The same as for a wrong signature: nobody learns here which sites we know.
      if (peer === undefined) throw new HopError('sig_invalid', 'the signature does not hold');
      if (mayExchange(peer.state)) await newerKeys.look(site, kid);
      const head = { method: raw.method ?? '', target: raw.url ?? '', headers: raw.headersDistinct };
      return { peer, hop: await verifier.verifyHead(head) };
    } catch (error) {
      if (error instanceof HopError || error instanceof FedError) gate.failed(address);
      throw error;
    }
  }

  /** Whether a peer may ask for anything at all now. @throws FedError */
  admit(peer: KnownPeer): void {
    if (peer.state === 'suspended' || peer.state === 'revoked') throw new FedError('peer_suspended');
    // Not let in yet: it shares no room, and so none is known to it.
    if (!mayExchange(peer.state)) throw new FedError('room_unknown');
    this.#parts.rates.enter(peer);
  }

  /** The parsed body; undefined for none. @throws FedError, HopError, DialError, StrictJsonError */
  async body({ raw }: WireRequest, { bytesMax }: { bytesMax: number }): Promise<unknown> {
    const bytes = await readBody(raw, { bytesMax, withinMs: limits.bodyTimeoutMs });
    checkBody(raw.headersDistinct, bytes);
    return parsedBody(raw, bytes, bytesMax);
  }
}

/** What a peer may do with a room. A room that it has no part in and one that doesn't exist are one answer. */
export function grantOf(peer: KnownPeer, room: string, scope: PeerScope): PeerGrant {
  const grant = peer.rooms.get(room);
  if (grant === undefined) throw new FedError('room_unknown');
  if (grant.isRemoved) throw new FedError('peer_suspended', { detail: 'removed from this room' });
  if (!grant.scopes.includes(scope)) throw new FedError('direction_denied', { detail: `not granted: ${scope}` });
  return grant;
}

/** For what belongs to no room. One that has a part in none is answered as one that asks for a room that isn't there. */
export function assertShares({ rooms }: KnownPeer): void {
  if ([...rooms.values()].some(({ isRemoved }) => !isRemoved)) return;
  if (rooms.size === 0) throw new FedError('room_unknown');
  throw new FedError('peer_suspended', { detail: 'removed from every room' });
}

/** The JSON of a body that was proven. @throws DialError, StrictJsonError */
export async function parsedBody(raw: IncomingMessage, bytes: Buffer, bytesMax: number): Promise<unknown> {
  const decoded = await inflate(bytes, raw.headersDistinct['content-encoding']?.join(','), bytesMax);
  return decoded.length === 0 ? undefined : parseStrictJson(decoded, federationLimits.jsonDepthMax);
}

/** Before anything is judged by rules that another version may have changed. @throws FedError `upgrade_required`, HopError */
export function assertVersion({ headersDistinct: headers }: IncomingMessage): void {
  if (oneValue(headers, 'bf-protocol') !== hopProtocol) {
    throw new FedError('upgrade_required', { detail: `this site speaks ${hopProtocol}` });
  }
}
