import { randomUUID } from 'node:crypto';
import { coreSubjects, type TicketUse } from '@boardwire/contracts';
import type { Bus } from '@boardwire/messaging';

export interface HintListeners {
  onAppended: () => void;
  onRightsChanged: () => void;
}

/**
 * Tells the other replicas over core NATS that there is something to look at, so that they needn't wait for their next
 * look. Only a hint: a lost one costs a tenth of a second.
 */
export class ReplicaHints {
  readonly #self = randomUUID();
  readonly #subscriptions: { unsubscribe(): void }[] = [];
  #isScheduled = false;

  constructor(private readonly bus: Bus) {}

  listen({ onAppended, onRightsChanged }: HintListeners): void {
    const on = (subject: string, listener: () => void) =>
      this.#subscriptions.push(
        this.bus.subscribe(subject, ({ data }) => {
          if (!Buffer.from(data).includes(this.#self)) listener();
        }),
      );
    on(coreSubjects.boardAppended, onAppended);
    on(coreSubjects.sessionRevoked, onRightsChanged);
    on(coreSubjects.boardChanged, onRightsChanged);
  }

  /** Once for all commits of a tick. */
  appended(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#tell(coreSubjects.boardAppended, {});
    });
  }

  boardChanged(board: string): void {
    this.#tell(coreSubjects.boardChanged, { board });
  }

  /** For gateways: an older stream of the ticket is to end. */
  ticketUsed(use: TicketUse): void {
    this.#tell(coreSubjects.ticketUsed, use);
  }

  rightsChanged(): void {
    this.#tell(coreSubjects.sessionRevoked, {});
  }

  sessionRevoked(sessionId: string, userId: string): void {
    this.#tell(coreSubjects.sessionRevoked, { sessionId, userId });
  }

  close(): void {
    for (const subscription of this.#subscriptions.splice(0)) subscription.unsubscribe();
  }

  #tell(subject: string, content: object): void {
    if (this.bus.connected) this.bus.publish(subject, JSON.stringify({ ...content, from: this.#self }));
  }
}
