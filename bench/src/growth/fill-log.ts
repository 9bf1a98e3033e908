import type { Database } from '@boardwire/database';

export interface FillOptions {
  board: string;
  /** Events that the log holds afterwards. */
  size: number;
}

const rowsAtOnce = 100_000;
const subjects = 100;
/** One event in so many is of a subject that history is asked for by itself. */
const rareEvery = 997;

/** Appends events as rows, past chat: the same columns, a body of the usual size, heads and marks moved along. */
export async function fillLog(database: Database, { board, size }: FillOptions): Promise<void> {
  const [found] = await database.query<{ id: number; seq: number }>(
    'SELECT b.id, h.seq FROM board b JOIN board_head h ON h.board_id = b.id WHERE b.slug = $1',
    [board],
  );
  if (found === undefined) throw new Error(`no board ${board}`);
  await database.query(subjectsSql, [found.id, subjects]);
  for (let from = found.seq + 1; from <= size; from += rowsAtOnce) {
    const to = Math.min(size, from + rowsAtOnce - 1);
    // oxlint-disable-next-line no-await-in-loop -- in seq order
    await database.query(eventsSql, [found.id, from, to, subjects, rareEvery]);
  }
  await database.query('UPDATE board_head SET seq = $2 WHERE board_id = $1', [found.id, size]);
  // The mirror is taken to have them: nobody follows this log.
  await database.query(markSql, [found.id, size]);
  await database.query('VACUUM (ANALYZE) event');
}

const subjectsSql = `
INSERT INTO board_subject (board_id, subject, type, class)
SELECT $1::int, name, 'bench.event', 'log'
FROM (SELECT 'bench.s' || n AS name FROM generate_series(0, $2::int - 1) n UNION ALL SELECT 'bench.rare') named
ON CONFLICT DO NOTHING`;

const eventsSql = `
INSERT INTO event
  (board_id, seq, subject_id, committed_at, key, origin, source, event_id, content_hash, salt, datahash, body)
SELECT $1::int, n, s.id, now(), lpad(to_hex(n), 32, '0')::uuid, NULL, '/users/bench', 'event-' || n,
  decode(repeat('00', 32), 'hex'), decode(repeat('00', 16), 'hex'), decode(repeat('00', 32), 'hex'),
  '{"specversion":"1.0","id":"event-' || n || '","source":"/users/bench","type":"bench.event","subject":"' || s.subject
    || '","data":{"text":"' || repeat('x', 60) || '"}}'
FROM generate_series($2::bigint, $3::bigint) n
JOIN board_subject s ON s.board_id = $1::int
  AND s.subject = CASE WHEN n % $5::int = 0 THEN 'bench.rare' ELSE 'bench.s' || n % $4::int END`;

const markSql = `
INSERT INTO relay_mark (board_id, seq) VALUES ($1, $2)
ON CONFLICT (board_id) DO UPDATE SET seq = excluded.seq`;
