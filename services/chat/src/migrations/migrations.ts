import { createAccounts, createDecisions } from './create-accounts.ts';
import { createAppend, createLog } from './create-log.ts';

/** In the order of their timestamps. A migration that has shipped is never changed. */
export const migrations = [createLog, createAppend, createAccounts, createDecisions];
