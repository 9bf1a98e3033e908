/** How far a client has read a board: `<epoch>-<seq>`. It is every SSE `id:` and every WebSocket frame's `cursor`. */
export interface Cursor {
  /** Names one incarnation of the board's log, 8 characters. */
  epoch: string;
  /** The last position read; 0 stands before the first event. */
  seq: number;
}

const pattern = /^([a-z0-9]{8})-(0|[1-9][0-9]{0,15})$/;

export function formatCursor(epoch: string, seq: number): string {
  return `${epoch}-${seq}`;
}

/** Returns undefined for anything that is not a cursor; callers decide between 400 and `reset`. */
export function parseCursor(text: string): Cursor | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const seq = Number(match[2]);
  return Number.isSafeInteger(seq) ? { epoch: match[1]!, seq } : undefined;
}

export const epochPattern = /^[a-z0-9]{8}$/;

const positionsPerEpoch = 2 ** 40;
const epochOrdinalMax = 2 ** 13 - 1;

/**
 * The numeric id that older wires give an event: epoch ordinal · 2^40 + seq. Rising, the same on every gateway and over
 * restarts, exact in a double.
 */
export function numericEventId(epochOrdinal: number, seq: number): number {
  if (epochOrdinal < 0 || epochOrdinal > epochOrdinalMax || seq < 0 || seq >= positionsPerEpoch) {
    throw new RangeError(`no numeric id for epoch ordinal ${epochOrdinal}, seq ${seq}`);
  }
  return epochOrdinal * positionsPerEpoch + seq;
}
