import type { PeerScope } from '@boardwire/contracts';
import type { z } from 'zod';
import type { VerifiedHop } from '../hop/hop-verifier.ts';
import { FedError } from './fed-error.ts';
import type { KnownPeer, PeerGrant } from './peer-book.ts';

/** A request of a peer that has passed every gate before what is inside it. */
export interface SiteCall {
  peer: KnownPeer;
  hop: VerifiedHop;
  /** Parsed, and nothing more. */
  body: unknown;
}

/** One about a room that the peer has a part in. */
export interface WireCall extends SiteCall {
  room: string;
  grant: PeerGrant;
  /** Parts of the path and the query, as they came. */
  params: Readonly<Record<string, string | undefined>>;
}

export interface WireAnswer {
  status: number;
  /** Undefined: no body. */
  json?: unknown;
}

export interface WireRoute {
  method: 'GET' | 'POST';
  /** Below `/fed/v1/rooms/:room/`. */
  path: string;
  /** What a peer has to be granted in the room. */
  scope: PeerScope;
  bodyBytesMax: number;
  answer(call: WireCall): Promise<WireAnswer>;
}

/** What a peer may ask for beside any room, as long as it shares one. */
export interface SiteRoute {
  method: 'GET' | 'POST';
  /** Below `/fed/v1/`. */
  path: string;
  bodyBytesMax: number;
  answer(call: SiteCall): Promise<WireAnswer>;
}

/** @throws FedError `malformed` with the first thing that is wrong */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw new FedError('malformed', { detail: `${path.join('.') || 'body'}: ${message}`.slice(0, 200) });
}
