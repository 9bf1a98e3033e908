/** Injection tokens: Nest wires, what is wired is plain. */
export const tokens = {
  appendLog: Symbol('append log'),
  readLog: Symbol('read log'),
  sync: Symbol('sync'),
  epochs: Symbol('epochs'),
  disclosures: Symbol('disclosures'),
  removals: Symbol('removals'),
  retentionStore: Symbol('retention store'),
  boards: Symbol('boards'),
  accounts: Symbol('accounts'),
  members: Symbol('members'),
  ignores: Symbol('ignores'),
  tickets: Symbol('tickets'),
  signingKeys: Symbol('signing keys'),
} as const;
