import { limits } from '@boardwire/contracts';

/** The bounds of this service's queues, pages and waits beside those of the public interface. Times in milliseconds. */
export const bounds = {
  /** Rows and body bytes of one commit. */
  appendBatchEventsMax: 1_024,
  appendBatchBytesMax: 4 * 1024 * 1024,
  /** Waiting for a commit: events of one board, bytes of all boards together. */
  appendQueueEventsMax: limits.appendQueueEventsMax,
  appendQueueBytesMax: 64 * 1024 * 1024,
  /** An append that has no answer by then is refused; it may be in the log, a repeat tells. */
  appendTimeoutMs: 1_800,
  /** Room for the attributes that chat adds to an event of the largest size. */
  storedBytesMax: limits.eventBytesMax + 4 * 1024,
  subjectsCachedMax: 65_536,
  watchEveryMs: 100,
  watchPauseMs: 5,
  syncWaitMaxMs: 1_000,
  /** Sync answers about heads are this far apart at most often; those about rights are immediate. */
  syncPauseMs: 50,
  syncWaitersMax: 1_024,
  rangeBytesMax: 4 * 1024 * 1024,
  historyBytesMax: 8 * 1024 * 1024,
  historySubjectsMax: 20_000,
  stateSubjectsMax: limits.stateSubjectsMax,
  stateBytesMax: limits.stateBytesMax,
  /** Rows that one statement looks at or removes while a log is pruned, and days that pruning waits for a follower. */
  pruneRowsMax: 5_000,
  pruneWaitDaysMax: 7,
  removedPageMax: 10_000,
  /** Kept for the relay after their commit, over all boards. */
  freshEventsMax: 8_192,
  freshBytesMax: 16 * 1024 * 1024,
  relayPageEvents: 512,
  relayBoardsAtOnce: 4,
  relayWindowEvents: limits.relayWindowEvents,
  relayWindowBytesMax: 32 * 1024 * 1024,
  relayAckTimeoutMs: 2_000,
  relayRetryMs: 200,
  streamCheckEveryMs: 1_000,
  relayLagSoftMs: 5_000,
  identityRetryMs: 250,
  /** Changes of rights are kept longer than any access token lives. */
  controlKeptMs: 4 * limits.accessTokenMs,
  controlPage: 1_000,
  /** One piece of what `/sync` tells of memberships: members and their subjects together. */
  membershipPageSubjects: 20_000,
  /** The same of ignores: people and the authors they ignore. */
  ignorePageAuthors: 20_000,
  toldChangesKept: 5_000,
  ignoreChangesPerMinute: 300,
  ticketsPerSession: 64,
  ticketsPerMinute: 240,
  guestSessionMs: 24 * 3_600_000,
  passwordsAtOnce: 2,
  passwordsWaitingMax: 32,
  attemptsPerName: 10,
  attemptsPerAddress: 120,
  registrationsPerAddress: 120,
  guestsPerAddress: 600,
  attemptsWindowMs: 60_000,
  attemptKeysMax: 10_000,
} as const;
