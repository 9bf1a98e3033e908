import type { Database } from '@boardwire/database';
import { bounds } from '../bounds.ts';
import type { PreparedEvent } from './event-bytes.ts';

/** An event together with the number of its subject, type and class on its board. */
export interface AppendRow {
  event: PreparedEvent;
  subjectId: number;
}

/** An event of the batch whose key the log holds already. */
export interface KnownEvent {
  /** Index in the batch. */
  n: number;
  seq: number;
  /** Hexadecimal content hash of what is stored. */
  content: string;
  /** The first 2,048 characters of the stored bytes; null when they were removed. */
  start: string | null;
  committedMs: number;
}

export interface Appended {
  epoch: string;
  /** The head before the batch: what is not known got base + 1, base + 2 … in order. */
  base: number;
  committedMs: number;
  known: KnownEvent[];
}

interface AppendedRow {
  epoch: string | null;
  base: number;
  committed_ms: number;
  known: KnownEvent[] | null;
}

const append = {
  name: 'append',
  sql: 'SELECT epoch, base, committed_ms, known FROM append_events($1, $2, $3, $4)',
  timeoutMs: bounds.appendTimeoutMs,
};

/** The server is not the one that the subjects' numbers were learned from. Nothing was stored. */
export class ServerReplaced extends Error {
  override readonly name = 'ServerReplaced';
}

const serverReplacedCode = 'BW001';

export class AppendStore {
  constructor(private readonly database: Database) {}

  /**
   * One round trip, one commit. Undefined when the board is gone.
   * @param server the one that numbered the subjects
   * @throws ServerReplaced
   */
  async append(boardId: number, rows: readonly AppendRow[], server: string): Promise<Appended | undefined> {
    const [row] = await this.database
      .prepared<AppendedRow>(append, [boardId, itemsJson(rows), bodiesJson(rows), server])
      .catch((error: Error & { code?: string }) => {
        throw error.code === serverReplacedCode ? new ServerReplaced(error.message, { cause: error }) : error;
      });
    if (row === undefined || row.epoch === null) return undefined;
    return { epoch: row.epoch, base: row.base, committedMs: row.committed_ms, known: row.known ?? [] };
  }
}

/** The keys are short because the database reads each of them for each event. */
function itemsJson(rows: readonly AppendRow[]): string {
  return JSON.stringify(
    rows.map(({ event, subjectId }, n) => ({
      n,
      k: event.key,
      o: event.foreignOrigin,
      s: event.source,
      i: event.id,
      t: subjectId,
      c: `\\x${event.contentHash}`,
      a: `\\x${event.salt}`,
      d: `\\x${event.datahash}`,
    })),
  );
}

/** They are JSON already: as elements of an array nothing in them is escaped a second time. */
function bodiesJson(rows: readonly AppendRow[]): string {
  return `[${rows.map(({ event }) => event.body).join()}]`;
}
