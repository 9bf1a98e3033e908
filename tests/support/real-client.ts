/** What a client is pointed at: the address of an event stream; who speaks WebSocket takes its meaning from there. */
export interface ClientTarget {
  url: string;
  token: string;
}

/** What a client, whichever it is, has told its user. */
export interface RealClient {
  /** Cursor of every event, in order of receipt. */
  readonly cursors: string[];
  /** Blocks or frames that are no events: `resumed`, `caught_up`, `reset`, `reconnect` … */
  readonly names: string[];
  /** The cursor it named at each connect; undefined at the first. */
  readonly sentCursors: (string | undefined)[];
  /** The status it was refused with for good. */
  refusal: number | undefined;
  close(): void;
}

export const seqOf = (cursor: string | undefined): number => Number(cursor?.split('-')[1] ?? -1);
