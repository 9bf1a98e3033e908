export { decodeBase32, encodeBase32 } from './base32.ts';
export { canonicalBytes, canonicalJson, canonicalString } from './canonical-json.ts';
export { formatCheckpoint, openCheckpoint, parseCheckpoint, signCheckpoint, type Checkpoint } from './checkpoint.ts';
export { CompactRange, splitHashes } from './compact-range.ts';
export { preAuthenticationEncoding, signEnvelope, verifyEnvelope, type Envelope } from './dsse.ts';
export {
  generateSigningKey,
  importSigningKey,
  importVerifyingKey,
  type SigningKey,
  type VerifyingKey,
} from './keys.ts';
export { emptyRoot, hashBytes, leafHash, nodeHash } from './merkle-hash.ts';
export {
  consistencyProof,
  inclusionProof,
  treeRoot,
  verifyConsistency,
  verifyInclusion,
  type NodeId,
  type NodeReader,
} from './merkle-proof.ts';
export {
  formatVerifier,
  NoteError,
  noteKeyHash,
  noteSigner,
  noteVerifier,
  openNote,
  parseNote,
  parseVerifier,
  signNote,
  type NoteSignature,
  type NoteSigner,
  type NoteVerifier,
  type OpenedNote,
} from './signed-note.ts';
export { fullTiles, tileHeight, tileOfNode, tilePath, tileWidth, widthOfTile, type TileId } from './tiles.ts';
