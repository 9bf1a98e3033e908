import type { ConnectionDesk } from './desk.ts';

/** Down to this share of the bound, so that the next look doesn't cut again. */
const leftShare = 0.9;

/**
 * Bounds what all outboxes of the pod hold together: each may be within its own bound, and a thousand of them still take
 * a gigabyte. Counted is what has waited since the look before; a burst that is on its way out is nobody's debt.
 */
export class OutboxBudget {
  readonly #desk: ConnectionDesk;
  readonly #bytesMax: number;

  constructor(desk: ConnectionDesk, bytesMax: number) {
    this.#desk = desk;
    this.#bytesMax = bytesMax;
  }

  /** To be called about twice a second. Above the bound those who owe most go first. */
  look(): void {
    const owing = [];
    let sum = 0;
    for (const connection of this.#desk.connections.all()) {
      const bytes = connection.outbox.overdueBytes();
      if (bytes === 0) continue;
      sum += bytes;
      owing.push({ connection, bytes });
    }
    if (sum <= this.#bytesMax) return;
    for (const { connection, bytes } of owing.toSorted((one, other) => other.bytes - one.bytes)) {
      if (sum <= this.#bytesMax * leftShare) return;
      sum -= bytes;
      this.#desk.cutSlow(connection, 'total');
    }
  }
}
