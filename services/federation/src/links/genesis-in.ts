import {
  roomGenesisSchema,
  roomGenesisType,
  signedSiteDocumentSchema,
  type HandshakeAnswer,
} from '@boardwire/contracts';
import { importVerifyingKey, verifyEnvelope, type VerifyingKey } from '@boardwire/signing';
import { verifySiteDocument } from '../identity/verify-site-document.ts';
import { roomIdOf } from '../rooms/room-genesis.ts';
import { LinkError } from './link-error.ts';

/**
 * The root key of the room's creator, out of the documents that came with an admission, when its genesis is signed with it
 * and is the one of this room.
 * @throws LinkError `bad_answer`
 */
export function genesisIn(
  { genesis, document, members }: Extract<HandshakeAnswer, { state: 'admitted' }>,
  room: string,
): { creatorKey: VerifyingKey } {
  const payload = Buffer.from(genesis.payload, 'base64url');
  if (roomIdOf(payload) !== room) throw new LinkError('bad_answer', 'the genesis is that of another room');
  const { creator } = roomGenesisSchema.parse(JSON.parse(payload.toString()));
  for (const envelope of [document, ...members.map((member) => member.document)]) {
    const signed = signedSiteDocumentSchema.safeParse(envelope).data;
    const proven = signed && verifySiteDocument(signed);
    if (proven?.site !== creator) continue;
    const root = proven.keys.find(({ use }) => use === 'root')!;
    const creatorKey = importVerifyingKey(Buffer.from(root.public, 'base64url'));
    if (verifyEnvelope(genesis, roomGenesisType, creatorKey) !== undefined) return { creatorKey };
  }
  throw new LinkError('bad_answer', 'the genesis is not its creator’s');
}
