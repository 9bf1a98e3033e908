import type { Queryable } from '@boardwire/database';
import type { Envelope } from '@boardwire/signing';
import type { Genesis } from './room-genesis.ts';
import type { RoomPlace } from './room-scope.ts';

export interface Room extends RoomPlace {
  id: string;
  alias: string;
  envelope: Envelope;
}

/** The rooms this site has a part in, each with the local board that it is shown on. */
export class RoomStore {
  readonly #database: Queryable;

  constructor(database: Queryable) {
    this.#database = database;
  }

  /** Of a genesis that was verified. False when the board has a room, or the room a board. */
  async add({ id, bytes, content, envelope }: Genesis, board: string): Promise<boolean> {
    const rows = await this.#database.query(
      `INSERT INTO room (id, board, alias, subjects, genesis, envelope) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT DO NOTHING RETURNING id`,
      [id, board, content.alias, content.subjects, bytes, JSON.stringify(envelope)],
    );
    return rows.length === 1;
  }

  async find(id: string): Promise<Room | undefined> {
    return (await this.#where('id = $1', id))[0];
  }

  async ofBoard(board: string): Promise<Room | undefined> {
    return (await this.#where('board = $1', board))[0];
  }

  all(): Promise<Room[]> {
    return this.#database.query<Room>('SELECT id, board, alias, subjects, envelope FROM room ORDER BY created_at');
  }

  #where(condition: string, value: string): Promise<Room[]> {
    return this.#database.query<Room>(`SELECT id, board, alias, subjects, envelope FROM room WHERE ${condition}`, [
      value,
    ]);
  }
}
