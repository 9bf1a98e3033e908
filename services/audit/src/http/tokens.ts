/** Under which names the module provides what the controllers use. */
export const tokens = {
  reader: Symbol('AuditReader'),
  facets: Symbol('FacetCounter'),
  status: Symbol('LogStatus'),
  proofs: Symbol('LogProofs'),
  checkpoints: Symbol('LogCheckpoints'),
  tiles: Symbol('LogTiles'),
  disclosures: Symbol('Disclosures'),
  inbox: Symbol('DecisionInbox'),
  restoration: Symbol('Restoration'),
} as const;
