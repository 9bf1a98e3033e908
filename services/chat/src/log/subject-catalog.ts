import type { StoredClass } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import { bounds } from '../bounds.ts';

export interface SubjectKey {
  subject: string;
  type: string;
  class: StoredClass;
}

/** Numbers, and which start of which server they hold for. */
export interface SubjectNumbers {
  ids: number[];
  server: string;
}

const attemptsMax = 5;

/**
 * Numbers every (subject, type, class) of a board when it is first seen. Known ones are answered from memory, so an
 * append costs the database nothing extra unless a subject is new to this process. What is remembered holds for one
 * start of one server: behind the next one there may be a backup, in which the same numbers mean other subjects.
 */
export class SubjectCatalog {
  readonly #ids = new Map<string, number>();
  #server = '';

  constructor(private readonly database: Database) {}

  /** One number for each key, in order. */
  async idsOf(boardId: number, keys: readonly SubjectKey[]): Promise<SubjectNumbers> {
    let ids = this.#known(boardId, keys);
    for (let attempt = 0; ids.includes(undefined); attempt += 1) {
      if (attempt === attemptsMax) throw new Error('subjects are not there after they were inserted');
      const missing = this.#ids.size > bounds.subjectsCachedMax ? keys : keys.filter((_, at) => ids[at] === undefined);
      // oxlint-disable-next-line no-await-in-loop -- what another replica inserts meanwhile is seen by the next look
      await this.#learn(boardId, missing, attempt > 0);
      ids = this.#known(boardId, keys);
    }
    return { ids: ids as number[], server: this.#server };
  }

  /** After the database was replaced under us its numbers may be others. */
  forget(): void {
    this.#ids.clear();
  }

  #known(boardId: number, keys: readonly SubjectKey[]): (number | undefined)[] {
    return keys.map((key) => this.#ids.get(cacheKey(boardId, key)));
  }

  async #learn(boardId: number, keys: readonly SubjectKey[], insert: boolean): Promise<void> {
    const unique = new Map(keys.map((key) => [cacheKey(boardId, key), key]));
    const wanted = JSON.stringify([...unique.values()].map((key) => [key.subject, key.type, key.class]));
    if (insert) await this.database.query(insertSubjects, [boardId, wanted]);
    const rows = await this.database.query<NumberedSubject>(selectSubjects, [boardId, wanted]);
    // All at once, and then all keys of the batch are learned again: a batch must find every one of its own.
    if (this.#ids.size > bounds.subjectsCachedMax) this.#ids.clear();
    const server = rows[0]?.server ?? this.#server;
    if (server !== this.#server) this.#ids.clear();
    this.#server = server;
    for (const { id, ...key } of rows) this.#ids.set(cacheKey(boardId, key), id);
  }
}

interface NumberedSubject extends SubjectKey {
  id: number;
  server: string;
}

// Types hold no blank and subjects neither.
const cacheKey = (boardId: number, key: SubjectKey) => `${boardId} ${key.class} ${key.type} ${key.subject}`;

const wantedRows =
  '(SELECT k->>0 AS subject, k->>1 AS type, k->>2 AS class FROM jsonb_array_elements($2::jsonb) AS k) AS x';

const insertSubjects = `
  INSERT INTO board_subject (board_id, subject, type, class)
  SELECT $1, x.subject, x.type, x.class FROM ${wantedRows} ORDER BY x.subject, x.type, x.class
  ON CONFLICT DO NOTHING`;

const selectSubjects = `
  SELECT s.id, s.subject, s.type, s.class, extract(epoch FROM pg_postmaster_start_time())::text AS server
  FROM ${wantedRows}
  JOIN board_subject s ON s.board_id = $1 AND s.subject = x.subject AND s.type = x.type AND s.class = x.class`;
