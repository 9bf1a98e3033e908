import { createAccounts, createDecisions } from './create-accounts.ts';
import { createBans } from './create-bans.ts';
import { createIgnores } from './create-ignores.ts';
import { createAppend, createLog } from './create-log.ts';
import { createNextSigningKey } from './create-next-signing-key.ts';
import { createRebuild } from './create-rebuild.ts';
import { createRemoval, tellRemovals } from './create-removal.ts';
import { createRetention } from './create-retention.ts';
import { createRights } from './create-rights.ts';

/** In the order of their timestamps. A migration that has shipped is never changed. */
export const migrations = [
  createLog,
  createAppend,
  createAccounts,
  createDecisions,
  createRetention,
  createRemoval,
  createRights,
  createRebuild,
  tellRemovals,
  createBans,
  createIgnores,
  createNextSigningKey,
];
