import type { LiveGroup, LiveMember } from './live-group.ts';

export type FailedBy = 'encoder' | 'handler';

export interface FailureObserver {
  /** Subscriptions that a pass ended because something of theirs threw; once for each pass and cause. */
  onReadersFailed(failed: { by: FailedBy; subscriptions: number; error: unknown }): void;
}

interface Failed {
  error: unknown;
  subscriptions: number;
}

/** Ends the subscriptions whose encoder or handler throws, and nobody else's: whatever they do, the pass goes on. */
export class FailedReaders {
  readonly #leave: (member: LiveMember, group: LiveGroup) => void;
  #failed: Map<FailedBy, Failed> | undefined;

  constructor(leave: (member: LiveMember, group: LiveGroup) => void) {
    this.#leave = leave;
  }

  /** Nobody of a group can be served. */
  endGroup(group: LiveGroup, error: unknown): void {
    for (const member of group.members) this.#end(member, { group, by: 'encoder', error });
  }

  endMember(member: LiveMember, group: LiveGroup, error: unknown): void {
    this.#end(member, { group, by: 'handler', error });
  }

  tell(observer: FailureObserver): void {
    const failed = this.#failed;
    this.#failed = undefined;
    if (failed !== undefined) for (const [by, one] of failed) observer.onReadersFailed({ by, ...one });
  }

  #end(member: LiveMember, { group, by, error }: { group: LiveGroup; by: FailedBy; error: unknown }): void {
    this.#failed ??= new Map();
    const known = this.#failed.get(by);
    if (known === undefined) this.#failed.set(by, { error, subscriptions: 1 });
    else known.subscriptions += 1;
    try {
      member.fail(error);
    } catch {
      // It is told of by the first exception.
    }
    // It may not have come as far as this by itself.
    this.#leave(member, group);
  }
}
