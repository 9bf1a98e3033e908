import { hash, randomBytes } from 'node:crypto';
import { contentOf, eventJson, type AppendItem, type StoredClass } from '@boardwire/contracts';

/** An event as it will be stored: its bytes are final, its position is not known yet. */
export interface PreparedEvent {
  /** Hash of (board, origin, source, id), by which the log knows it again. As a UUID, 128 bits. */
  readonly key: string;
  readonly id: string;
  readonly source: string;
  readonly subject: string;
  readonly type: string;
  readonly class: StoredClass;
  readonly time: string;
  /** Hexadecimal SHA-256 over what the client supplied. */
  readonly contentHash: string;
  readonly salt: string;
  /** Hexadecimal sha256(salt ‖ data): proves the data, and tells nothing about it once the salt is gone. */
  readonly datahash: string;
  readonly body: string;
  readonly bytes: number;
  /** The other site that accepted it; undefined for an event of this one. */
  readonly foreignOrigin?: string;
}

export interface Placement {
  board: string;
  boardId: number;
  /** The site where the event was accepted. */
  origin: string;
  class: StoredClass;
  /** Used when the client gave none. */
  now: string;
}

const saltBytes = 16;
const saltsAtOnce = 256;

export interface SaltSource {
  next(): Buffer;
}

/** 128 random bits for each event; asked from the system in portions, which costs a twentieth. */
export class Salts implements SaltSource {
  #pool = Buffer.alloc(0);

  next(): Buffer {
    if (this.#pool.length === 0) this.#pool = randomBytes(saltBytes * saltsAtOnce);
    const salt = this.#pool.subarray(0, saltBytes);
    this.#pool = this.#pool.subarray(saltBytes);
    return salt;
  }
}

export function prepareEvent(item: AppendItem, placement: Placement, salts: SaltSource): PreparedEvent {
  const { id, source, subject, type } = item;
  const time = item.time ?? placement.now;
  const data = item.data === undefined ? '' : JSON.stringify(item.data);
  const { board, origin, class: eventClass } = placement;
  const body = eventJson(item, { time, data, board, origin, class: eventClass });
  const salt = salts.next();
  return {
    key: eventKeyOf(item, placement),
    id,
    source,
    subject,
    type,
    class: eventClass,
    time,
    contentHash: hash('sha256', contentOf(item)),
    salt: salt.toString('hex'),
    datahash: hash('sha256', Buffer.concat([salt, dataBytes(item, data)])),
    body,
    bytes: Buffer.byteLength(body),
  };
}

/** The bytes that `datahash` is made of: those that base64 stands for, else the JSON text of `data` as stored. */
function dataBytes({ data_base64: bytes }: AppendItem, json: string): Buffer {
  return bytes === undefined ? Buffer.from(json) : Buffer.from(bytes, 'base64');
}

/** The same bytes, of an event as it is stored. */
export function storedDataBytes(body: string): Buffer {
  const { data, data_base64: bytes } = JSON.parse(body) as { data?: unknown; data_base64?: string };
  if (bytes !== undefined) return Buffer.from(bytes, 'base64');
  return Buffer.from(data === undefined ? '' : JSON.stringify(data));
}

/** None of the parts holds a line break. Whoever found a collision could only confuse two events of their own. */
export function eventKeyOf(
  { source, id }: Pick<AppendItem, 'source' | 'id'>,
  { boardId, origin }: Pick<Placement, 'boardId' | 'origin'>,
): string {
  return hash('sha256', `${boardId}\n${origin}\n${source}\n${id}`).slice(0, 32);
}

/** The `time` of stored bytes of which only the start is at hand; it stands before everything of unbounded length. */
export function timeOf(start: string | null): string | undefined {
  return start === null ? undefined : /,"time":"([^"\\]+)"/.exec(start)?.[1];
}
