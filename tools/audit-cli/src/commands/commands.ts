import type { Command } from '../command.ts';
import { fetchCommand } from './fetch.ts';
import { verifyCheckpoint } from './verify-checkpoint.ts';
import { verifyComplete } from './verify-complete.ts';
import { verifyConsistency } from './verify-consistency.ts';
import { verifyDay } from './verify-day.ts';
import { verifyEntry } from './verify-entry.ts';
import { verifyEvent } from './verify-event.ts';
import { verifyRange } from './verify-range.ts';

/** In the order in which the help lists them. */
export const commands: readonly Command[] = [
  verifyCheckpoint,
  verifyConsistency,
  verifyEntry,
  verifyEvent,
  verifyDay,
  verifyRange,
  verifyComplete,
  fetchCommand,
];
