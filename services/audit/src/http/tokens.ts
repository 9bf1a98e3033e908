/** Under which names the module provides what the controllers use. */
export const tokens = {
  reader: Symbol('AuditReader'),
  facets: Symbol('FacetCounter'),
  exporter: Symbol('Exporter'),
  tails: Symbol('Tails'),
  decisionAudits: Symbol('DecisionAudits'),
  records: Symbol('ReadRecords'),
  status: Symbol('LogStatus'),
  proofs: Symbol('LogProofs'),
  checkpoints: Symbol('LogCheckpoints'),
  tiles: Symbol('LogTiles'),
  disclosures: Symbol('Disclosures'),
  inbox: Symbol('DecisionInbox'),
  restoration: Symbol('Restoration'),
  cosignatures: Symbol('Cosignatures'),
} as const;
