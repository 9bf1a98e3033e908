import type { Database } from '@boardwire/database';
import { AppError } from '@boardwire/service-kit';
import {
  encodeEntryBundle,
  fullTiles,
  parseTilePath,
  tileWidth,
  type TileAddress,
  type TileId,
} from '@boardwire/signing';
import { readTile } from '../log/hash-reader.ts';
import { logSpan, type LogSpan } from './log-spans.ts';
import { newestCheckpoint } from './stored-checkpoints.ts';

/** A static resource of the log (C2SP tlog-tiles), byte for byte. */
export interface TileFile {
  bytes: Buffer;
  /** It will never be anything else. */
  isFull: boolean;
  /** How many records are in it; none in a tile of hashes. */
  records: number;
}

/** The log as the files that C2SP tlog-tiles describes: a reader who has them all needs no proof of ours. */
export class LogTiles {
  constructor(private readonly database: Database) {}

  /**
   * A tile or a bundle of records by its path, `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`, of an epoch of the
   * log. Throws AppError `not_found` for what no signed checkpoint covers, and for records that have outlived their
   * retention.
   */
  async file(path: string, epoch?: string): Promise<TileFile> {
    const address = parseTilePath(path);
    if (address === undefined) throw new AppError('not_found', { detail: 'tile/<level>/<index>[.p/<width>]' });
    const span = await logSpan(this.database, epoch);
    await this.#assertCovered(address, span);
    const { level, index, width } = address;
    const isFull = width === tileWidth;
    if (level === 'entries') return { bytes: await this.#bundle(address, span), isFull, records: width };
    return { bytes: await this.#hashes({ level, index }, width, span), isFull, records: 0 };
  }

  /** Of what is not signed yet nobody may make a proof: it could still be lost. */
  async #assertCovered({ level, index, width }: TileAddress, span: LogSpan): Promise<void> {
    const size = (await newestCheckpoint(this.database, span.era))?.size ?? 0;
    const hashes = level === 'entries' || level === 0 ? size : fullTiles(level - 1, size);
    if (index * tileWidth + width > hashes) throw new AppError('not_found', { detail: 'not signed yet' });
  }

  async #hashes(tile: TileId, width: number, span: LogSpan): Promise<Buffer> {
    const hashes = await readTile(this.database, tile, span);
    if (hashes.length < width) throw new Error(`tile ${tile.level}/${tile.index} is not stored`);
    return Buffer.concat(hashes.slice(0, width));
  }

  async #bundle({ index, width }: TileAddress, { firstSeq }: LogSpan): Promise<Buffer> {
    const first = firstSeq + index * tileWidth;
    const rows = await this.database.query<{ seq: number; record: Buffer }>(
      `SELECT seq, record FROM entry
       WHERE day = ANY ((SELECT array_agg(day) FROM day_count WHERE last_seq >= $1 AND first_seq < $2)::date[])
         AND seq >= $1 AND seq < $2 ORDER BY seq`,
      [first, first + width],
    );
    if (rows.length < width) throw new AppError('not_found', { detail: 'these records have outlived their retention' });
    return encodeEntryBundle(rows.map(({ record }) => record));
  }
}
