import { createHash } from 'node:crypto';
import { storedDisclosureSchema, type AuditDisclosure } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import { AppError, type InternalClient } from '@boardwire/service-kit';
import { saltAndData } from '../log/record-check.ts';

interface EntryRow {
  kind: 'event' | 'decision';
  board: string | null;
  boardSeq: number | null;
  record: string;
  body: string | null;
}

/**
 * What opens an entry's `datahash`: the salt, and the bytes that were hashed behind it. Both go with the content; what is
 * left in the log proves that something was there and tells nothing of it.
 */
export class Disclosures {
  constructor(
    private readonly database: Database,
    private readonly chat: InternalClient,
  ) {}

  /** Throws AppError `not_found` when there is no such entry, or its content is gone. */
  async of(seq: number): Promise<AuditDisclosure> {
    const row = await this.#entry(seq);
    if (row === undefined) throw new AppError('not_found', { detail: 'no such entry' });
    const { salt, data } = row.kind === 'decision' ? decisionParts(row) : await this.#eventParts(row);
    const { datahash } = JSON.parse(row.record) as { datahash: string };
    // A board that was put back may hold another event at that place.
    if (createHash('sha256').update(salt).update(data).digest('hex') !== datahash) throw gone();
    return { seq, salt: salt.toString('hex'), data: data.toString('base64') };
  }

  /** The salt of an event is chat's, which forgets it with the content. */
  async #eventParts({ board, boardSeq, body }: EntryRow): Promise<{ salt: Buffer; data: Buffer }> {
    if (body === null) throw gone();
    const stored = await this.chat.request({
      method: 'GET',
      path: `/internal/v1/boards/${encodeURIComponent(board ?? '')}/events/${boardSeq}/disclosure`,
      route: '/internal/v1/boards/{board}/events/{seq}/disclosure',
      schema: storedDisclosureSchema,
    });
    return { salt: Buffer.from(stored.salt, 'hex'), data: Buffer.from(stored.data, 'base64') };
  }

  async #entry(seq: number): Promise<EntryRow | undefined> {
    const [row] = await this.database.query<EntryRow>(
      `SELECT e.kind, e.board, e.board_seq AS "boardSeq", convert_from(e.record, 'UTF8') AS record, d.body
       FROM entry e LEFT JOIN detail d ON d.seq = e.seq
       WHERE e.day = ANY (coalesce((SELECT array_agg(day) FROM day_count WHERE last_seq >= $1 AND first_seq <= $1), '{}'))
         AND e.seq = $1`,
      [seq],
    );
    return row;
  }
}

function decisionParts({ body }: EntryRow): { salt: Buffer; data: Buffer } {
  if (body === null) throw gone();
  return saltAndData(body);
}

const gone = () => new AppError('not_found', { detail: 'its content is gone, or was never here' });
