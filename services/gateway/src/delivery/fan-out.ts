import type { LogEvent } from './board-ring.ts';
import { BurstWindow } from './burst-window.ts';
import { FailedReaders, type FailureObserver } from './failed-readers.ts';
import { EphemeralLane, type EphemeralEvent, type EphemeralObserver } from './ephemeral-lane.ts';
import type { FilterSet } from './filter-set.ts';
import { LiveGroup, type GroupEncoder, type LiveMember } from './live-group.ts';
import { nextTurn, rotate, writesPerTurn } from './pass-turns.ts';
import { SubjectTrie } from './subject-trie.ts';

export interface PassObserver extends EphemeralObserver, FailureObserver {
  /** After a pass: how many writes it made, and the commit time of its oldest event. */
  onPass(pass: { events: number; writes: number; committedMs: number }): void;
}

/** A slice must stay well below an outbox, or one busy pass would cut every client. */
const passBytesMax = 256 * 1024;
const passEventsMax = 1_000;
/** With more than this waiting, members read on at their own pace from the ring or from chat. */
const waitingEventsMax = 8_192;

/**
 * Delivers a board's new events to its live groups, coalesced: what has come since the last pass is matched, encoded
 * once for each group, and written once to each member as one shared Buffer.
 */
export class FanOut {
  readonly #observer: PassObserver;
  readonly #isOpen: (subject: string) => boolean;
  readonly #groups = new Map<string, LiveGroup>();
  readonly #byFilter = new SubjectTrie<LiveGroup>();
  /** What memberships reach; the other trie is for open subjects. */
  readonly #byMemberFilter = new SubjectTrie<LiveGroup>();
  readonly #waiters = new Set<{ position: number; resolve: () => void }>();
  readonly #ephemeral: EphemeralLane;
  readonly #window = new BurstWindow();
  readonly #failed = new FailedReaders((member, group) => this.leave(member, group));
  #epoch = '';
  #fresh: LogEvent[] = [];
  #passed = 0;
  #settled = 0;
  #members = 0;
  #isPassing = false;
  #isScheduled = false;
  /** Rises when the log starts again; a pass of an older one stops where it is. */
  #generation = 0;

  constructor(observer: PassObserver, isOpen: (subject: string) => boolean) {
    this.#observer = observer;
    this.#isOpen = isOpen;
    this.#ephemeral = new EphemeralLane({
      observer,
      readersOf: (subject) => this.#readersOf(subject),
      failed: this.#failed,
    });
  }

  get passed(): number {
    return this.#passed;
  }

  get settled(): number {
    return this.#settled;
  }

  get members(): number {
    return this.#members;
  }

  add(event: LogEvent): void {
    this.#fresh.push(event);
  }

  /** Delivers what was added, from this tick on: intake hands over all that one turn of the event loop brought. */
  flush(): void {
    if (this.#isPassing || !this.#hasWork) return;
    this.#isPassing = true;
    void this.#deliver();
  }

  /** Delivers it at the end of this turn, together with what else the turn brings. */
  addEphemeral(event: EphemeralEvent): void {
    this.#ephemeral.add(event);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.flush();
    });
  }

  get waiting(): number {
    return this.#fresh.length;
  }

  join(member: LiveMember, { key, wanted, encoder }: JoinOptions): LiveGroup {
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = new LiveGroup({ key, wanted, encoder: encoder() });
      this.#groups.set(key, group);
      for (const filter of wanted.filters) this.#byFilter.add(filter, group);
      for (const filter of wanted.memberFilters) this.#byMemberFilter.add(filter, group);
    }
    if (!group.members.has(member)) this.#members += 1;
    group.members.add(member);
    return group;
  }

  leave(member: LiveMember, group: LiveGroup): void {
    if (!group.members.delete(member)) return;
    this.#members -= 1;
    if (group.members.size > 0 || this.#groups.get(group.key) !== group) return;
    this.#groups.delete(group.key);
    for (const filter of group.wanted.filters) this.#byFilter.remove(filter, group);
    for (const filter of group.wanted.memberFilters) this.#byMemberFilter.remove(filter, group);
  }

  whenPassed(position: number): Promise<void> {
    if (this.#passed > position) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.add({ position, resolve });
    });
  }

  /** Answers the members that were live, which stay so. */
  restart(epoch: string, head: number): LiveMember[] {
    this.#epoch = epoch;
    this.#generation += 1;
    this.#fresh = [];
    this.#passed = head;
    this.#settled = head;
    for (const waiter of this.#waiters) waiter.resolve();
    this.#waiters.clear();
    return this.#allMembers();
  }

  /** What a pass under way has matched no longer holds: who has not been served yet reads on by themselves. */
  interrupt(): void {
    this.#ephemeral.interrupt();
    if (this.#settled === this.#passed) return;
    this.#generation += 1;
    const position = this.#settled;
    for (const member of this.#allMembers()) member.onInterrupted(position);
    this.#settled = this.#passed;
  }

  async #deliver(): Promise<void> {
    try {
      const waitMs = this.#window.waitMs(this.#members);
      if (waitMs > 0) await this.#gather(waitMs);
      for (let pass = 1; this.#hasWork; pass += 1) {
        if (this.#fresh.length > waitingEventsMax) this.#fallBehind();
        // oxlint-disable-next-line no-await-in-loop -- passes of one board follow each other
        if (this.#fresh.length > 0) await this.#pass(this.#takeSlice());
        if (pass === 1) this.#window.passed(this.#fresh.length > 0);
        this.#wakeWaiters();
        // oxlint-disable-next-line no-await-in-loop -- ephemeral events go behind what is stored
        if (!this.#ephemeral.isEmpty) await this.#ephemeral.pass();
        this.#failed.tell(this.#observer);
        // oxlint-disable-next-line no-await-in-loop
        if (this.#hasWork) await nextTurn();
      }
    } finally {
      this.#isPassing = false;
    }
  }

  async #gather(waitMs: number): Promise<void> {
    await new Promise((resolve) => {
      setTimeout(resolve, waitMs);
    });
    this.#window.waited(this.#fresh.length);
  }

  get #hasWork(): boolean {
    return this.#fresh.length > 0 || !this.#ephemeral.isEmpty;
  }

  /** Between two passes everybody stands at `passed`: from there each member catches up as its socket drains. */
  #fallBehind(): void {
    const position = this.#passed;
    const last = this.#fresh.pop()!;
    this.#fresh = [last];
    this.#passed = last.seq - 1;
    this.#settled = this.#passed;
    for (const member of this.#allMembers()) member.onBehind(position);
  }

  #allMembers(): LiveMember[] {
    return [...this.#groups.values()].flatMap((group) => [...group.members]);
  }

  #takeSlice(): LogEvent[] {
    let bytes = 0;
    let count = 0;
    for (const event of this.#fresh) {
      bytes += event.bytes.length;
      if (count > 0 && (bytes > passBytesMax || count === passEventsMax)) break;
      count += 1;
    }
    const slice = count === this.#fresh.length ? this.#fresh : this.#fresh.slice(0, count);
    this.#fresh = count === this.#fresh.length ? [] : this.#fresh.slice(count);
    return slice;
  }

  async #pass(events: readonly LogEvent[]): Promise<void> {
    const generation = this.#generation;
    const to = events.at(-1)!.seq;
    this.#passed = to;
    const encoded = new Map<string, Buffer>();
    let writes = 0;
    for (const { group, matched } of this.#match(events)) {
      const bytes = this.#encode(group, matched, encoded);
      if (bytes === undefined) continue;
      const served = { bytes, events: matched, upTo: to };
      for (const member of group.members) {
        if (member.joinedAt >= to) continue;
        this.#deliverTo(member, group, served);
        writes += 1;
        if (writes % writesPerTurn > 0) continue;
        // oxlint-disable-next-line no-await-in-loop -- the turn of others
        await nextTurn();
        if (this.#generation !== generation) return;
      }
      rotate(group.members);
    }
    this.#settled = to;
    if (writes > 0) this.#observer.onPass({ events: events.length, writes, committedMs: events[0]!.committedMs });
  }

  #match(events: readonly LogEvent[]): { group: LiveGroup; matched: LogEvent[] }[] {
    const touched: LiveGroup[] = [];
    for (const event of events) {
      if (event.removed) continue;
      for (const group of this.#readersOf(event.subject)) {
        if (!group.wanted.takesType(event.type) || group.wanted.ignores(event)) continue;
        if (group.matched.length === 0) touched.push(group);
        group.matched.push(event);
      }
    }
    return touched.map((group) => ({ group, matched: group.takeMatched() }));
  }

  /** Those who may see the subject and want it. */
  #readersOf(subject: string): readonly LiveGroup[] {
    return (this.#isOpen(subject) ? this.#byFilter : this.#byMemberFilter).match(subject);
  }

  /** Groups of one format that want the very same events share one Buffer, whatever their filters are. */
  #encode(group: LiveGroup, matched: readonly LogEvent[], encoded: Map<string, Buffer>): Buffer | undefined {
    try {
      const { sharedKey } = group.encoder;
      if (sharedKey === undefined) return group.encoder.encode(this.#epoch, matched);
      const key = `${sharedKey} ${matched.map((event) => event.seq).join()}`;
      let bytes = encoded.get(key);
      if (bytes === undefined) encoded.set(key, (bytes = group.encoder.encode(this.#epoch, matched)));
      return bytes;
    } catch (error) {
      this.#failed.endGroup(group, error);
      return undefined;
    }
  }

  /** Whatever happens to one member, the pass goes on. */
  #deliverTo(member: LiveMember, group: LiveGroup, { bytes, events, upTo }: Served): void {
    try {
      member.deliver(bytes, events, upTo);
    } catch (error) {
      this.#failed.endMember(member, group, error);
    }
  }

  #wakeWaiters(): void {
    for (const waiter of this.#waiters) {
      if (this.#passed <= waiter.position) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }
}

interface JoinOptions {
  key: string;
  wanted: FilterSet;
  encoder: () => GroupEncoder;
}

interface Served {
  bytes: Buffer;
  events: readonly LogEvent[];
  upTo: number;
}
