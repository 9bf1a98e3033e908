export { decodeBase32, encodeBase32 } from './base32.ts';
export { canonicalBytes, canonicalJson, canonicalString } from './canonical-json.ts';
export { formatCheckpoint, openCheckpoint, parseCheckpoint, signCheckpoint, type Checkpoint } from './checkpoint.ts';
export { CompactRange, splitHashes } from './compact-range.ts';
export {
  cosigner,
  cosignatureLine,
  cosignatureVerifier,
  formatCosignatureVerifier,
  openCosignatures,
  parseCosignatureVerifier,
  type Cosignature,
  type CosignatureVerifier,
  type Cosigner,
} from './cosignature.ts';
export { preAuthenticationEncoding, signEnvelope, verifyEnvelope, type Envelope } from './dsse.ts';
export { decodeEntryBundle, encodeEntryBundle, recordBytesMax } from './entry-bundle.ts';
export {
  generateSigningKey,
  importSigningKey,
  importVerifyingKey,
  verifyAsync,
  type SigningKey,
  type VerifyingKey,
} from './keys.ts';
export { auditLogOrigin, isAuditLogOrigin, logIdOf } from './log-origin.ts';
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
  noteSigner,
  noteVerifier,
  openNote,
  parseNote,
  parseVerifier,
  signatureLineOf,
  signNote,
  type NoteSignature,
  type NoteSigner,
  type NoteVerifier,
  type OpenedNote,
} from './signed-note.ts';
export {
  entryBundlePath,
  fullTiles,
  parseTilePath,
  tileHeight,
  tileOfNode,
  tilePath,
  tileWidth,
  widthOfTile,
  type TileAddress,
  type TileId,
} from './tiles.ts';
export { formatTlogProof, parseTlogProof, type TlogProof } from './tlog-proof.ts';
export { NoteError, noteKeyHash } from './verifier-key.ts';
