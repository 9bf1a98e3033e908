import type { Entry, Gap } from './entry.ts';

const batchEntriesMax = 512;
const batchBytesMax = 4 * 1024 * 1024;

export interface Added {
  entry: Entry;
  gap: Gap | undefined;
}

export interface Waiting extends Added {
  group: Group;
  queuedAt: number;
}

/** Entries that were submitted together. */
export interface Group {
  left: number;
  resolve(): void;
  reject(error: unknown): void;
}

/** Takes as much from the front of a queue as goes into one transaction; at least one entry. */
export function takeBatch(queue: Waiting[]): Waiting[] {
  let bytes = 0;
  let count = 0;
  while (count < queue.length && count < batchEntriesMax) {
    const { record, detail } = queue[count]!.entry;
    bytes += record.length + detail.length;
    if (count > 0 && bytes > batchBytesMax) break;
    count += 1;
  }
  return queue.splice(0, count);
}

/** Entries are committed: a group is done when all of its own are. */
export function settle(batch: readonly Waiting[]): void {
  for (const { group } of batch) {
    group.left -= 1;
    if (group.left === 0) group.resolve();
  }
}
