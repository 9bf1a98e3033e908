import { createHash } from 'node:crypto';
import type { TicketUse } from '@boardwire/contracts';

/** A stream that can be told that a newer one of its ticket has taken its place. */
export interface ReplaceableStream {
  end(reason: 'replaced'): void;
}

interface Newest {
  use: number;
  /** Absent when it is on another pod, or has ended. */
  stream: ReplaceableStream | undefined;
}

/** What was told of streams elsewhere; a pod that just answers an older use hears of it within seconds. */
const strangersMax = 10_000;

/** The streams that tickets have opened on this pod: of each ticket only the newest use stays. */
export class TicketStreams {
  readonly #newest = new Map<string, Newest>();

  static hashOf(ticket: string): string {
    return createHash('sha256').update(ticket).digest('hex');
  }

  get size(): number {
    return this.#newest.size;
  }

  /** A stream has opened by a use of the ticket; an older one ends, or this one when it is the older. */
  opened({ ticket, use }: TicketUse, stream: ReplaceableStream): void {
    const newest = this.#newest.get(ticket);
    if (newest !== undefined && newest.use > use) {
      stream.end('replaced');
      return;
    }
    this.#set(ticket, { use, stream });
    newest?.stream?.end('replaced');
  }

  closed(ticket: string, stream: ReplaceableStream): void {
    if (this.#newest.get(ticket)?.stream === stream) this.#newest.delete(ticket);
  }

  /** Another pod, or this one, has used the ticket. */
  used({ ticket, use }: TicketUse): void {
    const newest = this.#newest.get(ticket);
    if (newest !== undefined && newest.use >= use) return;
    this.#set(ticket, { use, stream: undefined });
    newest?.stream?.end('replaced');
  }

  #set(ticket: string, newest: Newest): void {
    this.#newest.delete(ticket);
    this.#newest.set(ticket, newest);
    if (this.#newest.size <= strangersMax) return;
    for (const [key, { stream }] of this.#newest) {
      if (this.#newest.size <= strangersMax) return;
      if (stream === undefined) this.#newest.delete(key);
    }
  }
}
