import type { Board, ChangeBoard, CreateBoard, SubjectRule } from '@boardwire/contracts';
import type { Database, Queryable } from '@boardwire/database';
import { newEpoch } from './epoch.ts';

/** A board as its tables hold it; positions move, the rest changes with `version`. */
export interface BoardRow {
  id: number;
  slug: string;
  title: string;
  isRealtime: boolean;
  timeZone: string;
  retentionDays: number | null;
  rules: SubjectRule[];
  federationRoomId: string | null;
  trustedPeers: string[];
  banned: string[];
  version: number;
}

export interface BoardPosition {
  id: number;
  version: number;
  epoch: string;
  epochOrdinal: number;
  head: number;
  /** Highest seq that the mirror has acknowledged. */
  relayed: number;
  /** Everything up to this seq has outlived the board's retention. */
  pruned: number;
  /** Counts the events whose content was removed. */
  removals: number;
  /** How often it was asked to be mirrored anew, and how often that was begun. */
  rebuildsAsked: number;
  rebuilds: number;
}

const columns = `
  id, slug, title, is_realtime AS "isRealtime", time_zone AS "timeZone", retention_days AS "retentionDays", rules,
  federation_room_id AS "federationRoomId", trusted_peers AS "trustedPeers",
  banned, version`;

const positions = {
  name: 'board_positions',
  sql: `
    SELECT b.id, b.version, h.epoch, h.epoch_ordinal AS "epochOrdinal", h.seq AS head, m.seq AS relayed,
      h.pruned, h.removals, m.rebuilds_asked AS "rebuildsAsked", m.rebuilds
    FROM board b JOIN board_head h ON h.board_id = b.id JOIN relay_mark m ON m.board_id = b.id`,
  timeoutMs: 2_000,
};

export class BoardStore {
  constructor(private readonly database: Database) {}

  positions(): Promise<BoardPosition[]> {
    return this.database.prepared<BoardPosition>(positions, []);
  }

  load(ids: readonly number[]): Promise<BoardRow[]> {
    return this.database.query<BoardRow>(`SELECT ${columns} FROM board WHERE id = ANY($1)`, [ids]);
  }

  async isThere(slug: string): Promise<boolean> {
    return (await this.database.query('SELECT 1 FROM board WHERE slug = $1', [slug])).length > 0;
  }

  async count(): Promise<number> {
    const [row] = await this.database.query<{ count: number }>(
      'SELECT count(*) AS count FROM board WHERE deleted_at IS NULL',
    );
    return row!.count;
  }

  /** Adds a board with an empty log. False when the slug, or the numeric alias, is taken. */
  async create(transaction: Queryable, board: CreateBoard, id?: number): Promise<boolean> {
    const version = await nextControlVersion(transaction);
    const values = [board.slug, board.title, board.is_realtime, board.time_zone, board.retention.days];
    const rows = await transaction.query<{ id: number }>(id === undefined ? insertBoard : insertBoardWithId, [
      ...values,
      JSON.stringify(board.rules),
      version,
      ...(id === undefined ? [] : [id]),
    ]);
    const created = rows[0]?.id;
    if (created === undefined) return false;
    await transaction.query(insertLog, [created, newEpoch()]);
    await noteBoardChanged(transaction, version, created);
    return true;
  }

  /** Undefined fields stay. False when there is no such board. */
  async change(transaction: Queryable, slug: string, change: ChangeBoard): Promise<boolean> {
    const version = await nextControlVersion(transaction);
    const rows = await transaction.query<{ id: number }>(updateBoard, [
      slug,
      change.title ?? null,
      change.is_realtime ?? null,
      change.time_zone ?? null,
      change.retention !== undefined,
      change.retention?.days ?? null,
      change.rules === undefined ? null : JSON.stringify(change.rules),
      version,
      change.banned === undefined ? null : [...new Set(change.banned)],
    ]);
    const changed = rows[0]?.id;
    if (changed === undefined) return false;
    await noteBoardChanged(transaction, version, changed);
    return true;
  }

  /**
   * The board is gone for everybody once this is committed: without a head nothing can be appended, and nobody finds it.
   * Its rows are removed afterwards. The slug is free again. False when there is no such board.
   */
  async remove(transaction: Queryable, slug: string): Promise<boolean> {
    const version = await nextControlVersion(transaction);
    const rows = await transaction.query<{ id: number }>(
      "UPDATE board SET slug = slug || '~' || id, deleted_at = now(), version = $2 WHERE slug = $1 RETURNING id",
      [slug, version],
    );
    const removed = rows[0]?.id;
    if (removed === undefined) return false;
    await transaction.query('DELETE FROM board_head WHERE board_id = $1', [removed]);
    await transaction.query('DELETE FROM relay_mark WHERE board_id = $1', [removed]);
    await noteBoardChanged(transaction, version, removed);
    return true;
  }

  /** Begins a new epoch: seq goes on from the head, but under another name. Undefined ids: every board. */
  async beginEpoch(transaction: Queryable, reason: string, boardIds?: readonly number[]): Promise<void> {
    const heads = await transaction.query<{ id: number }>(
      'SELECT board_id AS id FROM board_head WHERE $1::int[] IS NULL OR board_id = ANY($1) ORDER BY board_id FOR UPDATE',
      [boardIds ?? null],
    );
    for (const { id } of heads) {
      // oxlint-disable-next-line no-await-in-loop -- one connection
      await transaction.query(nextEpoch, [id, newEpoch(), reason]);
    }
  }
}

const insertBoard = `
  INSERT INTO board (slug, title, is_realtime, time_zone, retention_days, rules, version)
  VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING id`;

const insertBoardWithId = `
  INSERT INTO board (slug, title, is_realtime, time_zone, retention_days, rules, version, id)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING id`;

const insertLog = `
  WITH head AS (INSERT INTO board_head (board_id, epoch) VALUES ($1, $2)),
       mark AS (INSERT INTO relay_mark (board_id) VALUES ($1))
  INSERT INTO board_epoch (board_id, ordinal, epoch, after_seq, reason) VALUES ($1, 0, $2, 0, 'created')`;

const updateBoard = `
  UPDATE board SET
    title = coalesce($2, title), is_realtime = coalesce($3, is_realtime), time_zone = coalesce($4, time_zone),
    retention_days = CASE WHEN $5 THEN $6::int ELSE retention_days END,
    rules = coalesce($7::jsonb, rules), version = $8, banned = coalesce($9::text[], banned)
  WHERE slug = $1 RETURNING id`;

const nextEpoch = `
  WITH head AS (
    UPDATE board_head SET epoch = $2, epoch_ordinal = epoch_ordinal + 1 WHERE board_id = $1
    RETURNING board_id, epoch, epoch_ordinal, seq
  )
  INSERT INTO board_epoch (board_id, ordinal, epoch, after_seq, reason)
  SELECT board_id, epoch_ordinal, epoch, seq, $3 FROM head`;

/** Taken before anything else in its transaction, it orders the changes of rights. */
export async function nextControlVersion(transaction: Queryable): Promise<number> {
  const [row] = await transaction.query<{ version: number }>('SELECT next_control_version() AS version');
  return row!.version;
}

async function noteBoardChanged(transaction: Queryable, version: number, boardId: number): Promise<void> {
  await transaction.query("INSERT INTO control_change (version, kind, board_id) VALUES ($1, 'board_changed', $2)", [
    version,
    boardId,
  ]);
}

/** A board as the public interface shows it. */
export function shownBoard(board: BoardRow & Pick<BoardPosition, 'epoch' | 'head'>): Board {
  return {
    slug: board.slug,
    id: board.id,
    title: board.title,
    is_realtime: board.isRealtime,
    time_zone: board.timeZone,
    retention: { days: board.retentionDays },
    rules: board.rules,
    federation_room_id: board.federationRoomId,
    trusted_peers: board.trustedPeers,
    ...(board.banned.length === 0 ? {} : { banned: board.banned }),
    epoch: board.epoch,
    head: board.head,
  };
}
