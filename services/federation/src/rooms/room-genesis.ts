import { createHash, randomBytes } from 'node:crypto';
import { roomGenesisSchema, roomGenesisType, type RoomGenesis } from '@boardwire/contracts';
import {
  canonicalBytes,
  encodeBase32,
  signEnvelope,
  verifyEnvelope,
  type Envelope,
  type VerifyingKey,
} from '@boardwire/signing';
import type { SiteIdentity } from '../identity/site-identity.ts';
import { siteIdOf } from '../identity/site-id.ts';
import { parseCanonical } from '../feeds/parse-canonical.ts';

/** A room's id follows from its genesis: nobody can change what a room is. */
export function roomIdOf(genesis: Uint8Array): string {
  return `br1${encodeBase32(createHash('sha256').update(genesis).digest())}`;
}

export interface RoomDescription {
  alias: string;
  subjects: readonly string[];
}

export interface Genesis {
  id: string;
  bytes: Buffer;
  content: RoomGenesis;
  envelope: Envelope;
}

/** A new room, created and administered by this site. */
export function createGenesis({ siteId, keys }: SiteIdentity, { alias, subjects }: RoomDescription): Genesis {
  const content = roomGenesisSchema.parse({
    v: 1,
    creator: siteId,
    admins: [siteId],
    alias,
    subjects: [...subjects],
    created: new Date().toISOString(),
    nonce: randomBytes(16).toString('hex'),
  });
  const bytes = canonicalBytes(content);
  const envelope = signEnvelope(roomGenesisType, bytes, [{ keyid: keys.root.keyId, key: keys.root.key }]);
  return { id: roomIdOf(bytes), bytes, content, envelope };
}

/** The genesis inside an envelope, when `creatorRootKey` signed it and is the root key of the creator that it names. */
export function verifyGenesis(envelope: Envelope, creatorRootKey: VerifyingKey): Genesis | undefined {
  const bytes = verifyEnvelope(envelope, roomGenesisType, creatorRootKey);
  const content = bytes && parseCanonical(bytes, roomGenesisSchema);
  if (bytes === undefined || content === undefined) return undefined;
  if (content.creator !== siteIdOf(creatorRootKey.publicKey)) return undefined;
  return { id: roomIdOf(bytes), bytes, content, envelope };
}

/** Its signature was checked when the room was joined. */
export function genesisIn({ envelope }: { envelope: Envelope }): RoomGenesis {
  return roomGenesisSchema.parse(JSON.parse(Buffer.from(envelope.payload, 'base64url').toString('utf8')));
}
