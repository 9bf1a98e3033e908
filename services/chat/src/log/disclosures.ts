import { createHash } from 'node:crypto';
import type { StoredDisclosure } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import { AppError } from '@boardwire/service-kit';
import type { BoardWatch } from '../boards/board-watch.ts';
import { available } from '../store/available.ts';
import { storedDataBytes } from './event-bytes.ts';

/** Opens the hash of a stored event, for whoever has to show what it stands for. */
export class Disclosures {
  constructor(
    private readonly database: Database,
    private readonly boards: BoardWatch,
  ) {}

  /** @throws AppError `board_unknown`, or `not_found` when there is no such event, or its content was removed. */
  async of(slug: string, seq: number): Promise<StoredDisclosure> {
    const board = await this.boards.find(slug);
    if (board === undefined) throw new AppError('board_unknown');
    const [row] = await available(() =>
      this.database.query<{ salt: Buffer; datahash: Buffer; body: string }>(
        'SELECT salt, datahash, body FROM event WHERE board_id = $1 AND seq = $2 AND body IS NOT NULL',
        [board.id, seq],
      ),
    );
    if (row === undefined) throw new AppError('not_found');
    const data = storedDataBytes(row.body);
    if (!createHash('sha256').update(row.salt).update(data).digest().equals(row.datahash)) {
      throw new Error(`the hash of event ${seq} of ${slug} is not that of its data`);
    }
    return { salt: row.salt.toString('hex'), data: data.toString('base64') };
  }
}
