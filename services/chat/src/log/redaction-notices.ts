import { createHash } from 'node:crypto';
import {
  errorTable,
  redactedType,
  redactionSource as source,
  type AppendItem,
  type AppendOutcome,
} from '@boardwire/contracts';
import type { RemovalStore, UntoldRemoval } from './removal-store.ts';

export interface RedactionNoticesOptions {
  store: RemovalStore;
  append: (slug: string, items: readonly AppendItem[]) => Promise<AppendOutcome[]>;
  /** The site's id, once it is known. */
  siteId: () => string | undefined;
}

/**
 * Publishes an event for each removal, on the removed event's subject: whoever shows the content takes it away then, and
 * federation takes it to other sites. Its id follows from the removed event, so that two replicas tell of it once.
 */
export class RedactionNotices {
  constructor(private readonly options: RedactionNoticesOptions) {}

  async tell(): Promise<void> {
    const { store, append, siteId } = this.options;
    const own = siteId();
    const untold = own === undefined ? [] : await store.toTell();
    for (const slug of new Set(untold.map((removal) => removal.slug))) {
      const removals = untold.filter((removal) => removal.slug === slug);
      // oxlint-disable-next-line no-await-in-loop -- seldom more than one board
      const outcomes = await append(
        slug,
        removals.map((removal) => noticeOf(removal, own!)),
      );
      // oxlint-disable-next-line no-await-in-loop
      await store.noteTold(removals.filter((_, at) => !isRefusedForNow(outcomes[at]!)));
    }
  }
}

/** What is refused for good would be refused each time. */
function isRefusedForNow(outcome: AppendOutcome): boolean {
  return outcome.outcome === 'refused' && errorTable[outcome.code].retry;
}

/** The same each time: also its time is that of the removal. */
function noticeOf({ subject, actor, at, origin, source: from, id }: UntoldRemoval, own: string): AppendItem {
  const removed = { origin: origin ?? own, source: from, id };
  const name = createHash('sha256').update(Object.values(removed).join('\n')).digest('hex').slice(0, 32);
  const time = at.toISOString();
  return {
    id: name,
    source,
    type: redactedType,
    subject,
    time,
    data: removed,
    author: actor.slice(0, 128),
    authorname: '',
  };
}
