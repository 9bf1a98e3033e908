import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AppendItem, AuditEntry } from '@boardwire/contracts';
import {
  canonicalJson,
  CompactRange,
  encodeEntryBundle,
  entryBundlePath,
  formatTlogProof,
  formatVerifier,
  generateSigningKey,
  inclusionProof,
  leafHash,
  nodeHash,
  noteSigner,
  signCheckpoint,
  tilePath,
  tileWidth,
  widthOfTile,
  type NodeReader,
  type NoteSigner,
  type SigningKey,
} from '@boardwire/signing';
import { decisionEntry } from '../../../services/audit/src/decisions/decision-entry.ts';
import type { Entry } from '../../../services/audit/src/log/entry.ts';
import { eventEntry } from '../../../services/audit/src/log/event-entry.ts';
import { Tree } from '../../../services/audit/src/log/tree.ts';
import { ZoneDays } from '../../../services/audit/src/log/zone-days.ts';
import { prepareEvent, Salts } from '../../../services/chat/src/log/event-bytes.ts';

export const origin = 'boardwire/audit/abcdefghijklmnop/e1';
const startMs = Date.UTC(2026, 10, 1, 22, 0);
const stepMs = 60_000;
const days = new ZoneDays();
const salts = new Salts();

interface Opened {
  salt: string;
  data: Buffer;
}

/** A log as chat and audit write it, without their database, laid down as the files that an auditor fetches. */
export class WrittenLog {
  readonly signer: NoteSigner;
  readonly entries: AuditEntry[] = [];
  readonly #tree = new Tree(new CompactRange(), []);
  readonly #leaves: Buffer[] = [];
  readonly #full = new Map<string, Buffer>();
  /** Roots of full tiles, by their level. */
  readonly #roots: Buffer[][] = [];
  readonly #opened = new Map<number, Opened>();
  readonly #events = new Map<number, string>();
  readonly #numbers = new Map<string, number>();

  constructor(
    readonly key: SigningKey = generateSigningKey(),
    name = origin,
    /** The entry that is leaf 0. */
    readonly firstSeq = 0,
  ) {
    this.signer = noteSigner(name, key);
  }

  get size(): number {
    return this.entries.length;
  }

  /** One event, posted, stored and audited. */
  event(board: string, text: string, { epoch = 'aaaaaaaa', zone = 'Europe/Rome' } = {}): number {
    const seq = this.#next(`${board}/${epoch}`);
    const item = {
      id: `${board}-${epoch}-${seq}`,
      source: '/users/u1',
      type: 'chat.message.posted',
      subject: 'AxonChat.lobby',
    };
    const whole: AppendItem = { ...item, data: { text }, author: 'u1', authorname: 'Ana' };
    const committedMs = startMs + this.size * stepMs;
    const placement = {
      board,
      boardId: 1,
      origin: 'bs1site',
      class: 'log' as const,
      now: new Date(committedMs).toISOString(),
    };
    const { body, salt, datahash } = prepareEvent(whole, placement, salts);
    const { subject, type } = item;
    const place = { board, epoch, seq, subject, type, class: 'log' as const, committedMs, streamed: true, datahash };
    const entry = eventEntry({ ...place, bytes: Buffer.from(body) }, { day: days.dayOf(committedMs, zone), zone });
    this.#opened.set(this.size, { salt, data: Buffer.from(JSON.stringify(whole.data)) });
    this.#events.set(this.size, `{"cursor":"${epoch}-${seq}",${body.slice(1)}`);
    return this.#append(entry, body);
  }

  decision(service: string, action: string, detail: Record<string, string | number | boolean> = {}): number {
    const number = this.#next(service);
    const at = new Date(startMs + this.size * stepMs).toISOString();
    const decision = { number, action, outcome: 'done' as const, actor: 'u1', at, detail };
    const calendar = { zoneOf: () => 'Europe/Rome', dayOf: (ms: number, zone: string) => days.dayOf(ms, zone) };
    const entry = decisionEntry({ position: 1, service, number, decision, receivedMs: 0 }, calendar);
    const { data, salt } = JSON.parse(entry.detail) as { data: object; salt: string };
    this.#opened.set(this.size, { salt, data: Buffer.from(JSON.stringify(data)) });
    return this.#append(entry, entry.detail);
  }

  /** The first entry after a restore, as the audit service writes it. */
  epochEntry(former: string, keptSize: number): number {
    const atMs = startMs;
    const day = days.dayOf(atMs, 'Europe/Rome');
    const salt = '00'.repeat(16);
    const data = canonicalJson({ reason: 'said to be restored' });
    const record = canonicalJson({
      actor: 'audit',
      at: new Date(atMs).toISOString(),
      checkpoint: former,
      datahash: createHash('sha256').update(Buffer.from(salt, 'hex')).update(data).digest('hex'),
      day,
      kept_root: '00'.repeat(32),
      kept_size: keptSize,
      kind: 'decision',
      origin: 'audit',
      outcome: 'done',
      type: 'audit.epoch',
      v: 1,
      zone: 'Europe/Rome',
    });
    const detail = `{"data":${data},"salt":"${salt}"}`;
    const leaf = leafHash(Buffer.from(record));
    return this.#append({ record, leaf, day, detail, atMs, from: { kind: 'decision', position: 1 } }, detail);
  }

  /** Entries of two boards, one of them in two epochs and another zone, and decisions of two services. */
  fill(count: number): this {
    while (this.size < count) {
      const turn = this.size % 5;
      if (turn === 0) this.decision('chat', 'login', { name: `user ${this.size}` });
      else if (turn === 1)
        this.decision('gateway-x1', 'trading.decision', { symbol: 'BTC', readiness: 'WARN', forced_hold: true });
      else if (turn === 2) this.event('events', `line ${this.size} \u20ac`);
      else
        this.event('rome', `other ${this.size}`, {
          epoch: this.size < count / 2 ? 'aaaaaaaa' : 'bbbbbbbb',
          zone: 'Asia/Tokyo',
        });
    }
    return this;
  }

  /** The log as it would be had another entry been written at `seq`, and everything after it again. */
  rewritten(seq: number, change: (entry: AuditEntry) => AuditEntry): WrittenLog {
    const entries = this.entries.map((entry) => (entry.seq === seq ? change(entry) : entry));
    return new WrittenLog(this.key, this.signer.name).copy(entries);
  }

  /** Takes over the entries of another log, numbered anew. */
  copy(entries: readonly AuditEntry[]): this {
    for (const { record, day, detail } of entries) {
      const body = detail === null ? 'null' : JSON.stringify(detail);
      const leaf = leafHash(Buffer.from(record));
      this.#append({ record, leaf, day, detail: body, atMs: 0, from: { kind: 'decision', position: 1 } }, body);
    }
    return this;
  }

  note(size = this.size): string {
    return signCheckpoint({ origin: this.signer.name, size, root: this.root(size) }, [this.signer]);
  }

  root(size = this.size): Buffer {
    const range = new CompactRange();
    for (const leaf of this.#leaves.slice(0, size)) range.append(leaf);
    return range.root();
  }

  /** Any node of the tree. */
  readonly read: NodeReader = (nodes) =>
    Promise.resolve(
      nodes.map(({ level, index }) => rootOf(this.#leaves.slice(index * 2 ** level, (index + 1) * 2 ** level))),
    );

  /** Everything there is to fetch. */
  async write(folder: string): Promise<void> {
    await save(join(folder, 'key'), `${formatVerifier(this.signer)}\n`);
    await save(join(folder, 'checkpoint'), this.note());
    await save(join(folder, 'health.json'), JSON.stringify({ size: this.size, boards: this.#boards() }));
    await this.#writeTiles(folder);
    for (const day of new Set(this.entries.map((entry) => entry.day))) {
      // oxlint-disable-next-line no-await-in-loop -- a few files
      await save(join(folder, 'days', `${day}.jsonl`), this.day(day));
    }
    await save(join(folder, 'export.jsonl'), linesOf(this.entries, { filter: {} }, this.firstSeq + this.size));
  }

  day(day: string): string {
    return linesOf(
      this.entries.filter((entry) => entry.day === day),
      { day },
      this.firstSeq + this.size,
    );
  }

  /** What is fetched for one entry. */
  async writeEntry(folder: string, index: number): Promise<void> {
    const seq = this.firstSeq + index;
    const proof = await inclusionProof(index, this.size, this.read);
    const checkpoint = this.note();
    const base = join(folder, 'entries', String(seq));
    await save(`${base}.json`, JSON.stringify(this.entries[index]));
    await save(`${base}.tlog-proof`, formatTlogProof({ index, proof, checkpoint }));
    const hexes = proof.map((hash) => hash.toString('hex'));
    await save(`${base}.proof.json`, JSON.stringify({ seq, index, size: this.size, proof: hexes, checkpoint }));
    const opened = this.#opened.get(index);
    if (opened !== undefined) {
      const { salt, data } = opened;
      await save(`${base}.disclosure.json`, JSON.stringify({ seq, salt, data: data.toString('base64') }));
    }
    const event = this.#events.get(index);
    if (event !== undefined) await save(`${base}.event.json`, event);
  }

  #append(entry: Entry, body: string): number {
    const seq = this.size;
    this.entries.push(
      answerOf(this.firstSeq + seq, entry.record, body === 'null' ? null : (JSON.parse(body) as AuditEntry['detail'])),
    );
    this.#leaves.push(entry.leaf);
    for (const { level, index, root, hashes } of this.#tree.grow([entry.leaf]).tiles) {
      this.#full.set(tilePath({ level, index }), hashes);
      (this.#roots[level] ??= []).push(root);
    }
    return seq;
  }

  async #writeTiles(folder: string): Promise<void> {
    for (const [path, hashes] of this.#full) {
      // oxlint-disable-next-line no-await-in-loop -- a few files
      await save(join(folder, path), hashes);
    }
    for (let level = 0; tileWidth ** level <= this.size; level += 1) {
      const index = Math.floor(this.size / tileWidth ** (level + 1));
      const width = widthOfTile({ level, index }, this.size);
      const row = level === 0 ? this.#leaves : (this.#roots[level - 1] ?? []);
      const hashes = Buffer.concat(row.slice(index * tileWidth, index * tileWidth + width));
      // oxlint-disable-next-line no-await-in-loop
      if (width > 0) await save(join(folder, tilePath({ level, index }, width)), hashes);
    }
    const records = this.entries.map(({ record }) => Buffer.from(record));
    for (let index = 0; index * tileWidth < records.length; index += 1) {
      const own = records.slice(index * tileWidth, (index + 1) * tileWidth);
      // oxlint-disable-next-line no-await-in-loop
      await save(join(folder, entryBundlePath(index, own.length)), encodeEntryBundle(own));
    }
  }

  #boards(): { board: string; epoch: string; head: number; audited: number }[] {
    return [...this.#numbers].flatMap(([name, head]) => {
      const [board, epoch] = name.split('/');
      return epoch === undefined ? [] : [{ board: board!, epoch, head, audited: head }];
    });
  }

  #next(name: string): number {
    const number = (this.#numbers.get(name) ?? 0) + 1;
    this.#numbers.set(name, number);
    return number;
  }
}

/** A file of entries with a trailer that is true of them. */
export function linesOf(entries: readonly object[], title: object, size: number): string {
  const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
  const seqs = entries.map((entry) => (entry as AuditEntry).seq);
  const trailer = {
    ...title,
    entries: entries.length,
    first_seq: seqs[0] ?? null,
    last_seq: seqs.at(-1) ?? null,
    size,
    sha256: createHash('sha256').update(text).digest('hex'),
  };
  return `${text}${JSON.stringify({ trailer })}\n`;
}

/** An entry whose record says something else, every field with it, and no detail that could tell: a careful forger's. */
export function forged(entry: AuditEntry, change: Record<string, unknown>): AuditEntry {
  const fields = { ...(JSON.parse(entry.record) as Record<string, unknown>), ...change };
  const record = JSON.stringify(Object.fromEntries(Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1))));
  return answerOf(entry.seq, record, null);
}

/** An entry as the routes answer it. */
function answerOf(seq: number, record: string, detail: AuditEntry['detail']): AuditEntry {
  const fields = JSON.parse(record) as Record<string, string | undefined> & { seq?: number; kind: AuditEntry['kind'] };
  const isEvent = fields.kind === 'event';
  const data = isEvent || detail === null ? {} : (detail as { data: Partial<AuditEntry> }).data;
  return {
    seq,
    day: fields['day']!,
    time_zone: fields['zone']!,
    kind: fields.kind,
    time: fields['at']!,
    event_time: fields['time'] ?? null,
    action: isEvent ? 'publish' : fields['type']!,
    outcome: fields['outcome'] ?? 'done',
    actor: fields['actor']!,
    origin: fields['origin']!,
    board: fields['board'] ?? null,
    board_epoch: fields['epoch'] ?? null,
    board_seq: fields.seq ?? null,
    subject: fields['subject'] ?? null,
    type: isEvent ? fields['type']! : null,
    event_id: fields['id'] ?? null,
    datahash: fields['datahash']!,
    leaf_hash: leafHash(Buffer.from(record)).toString('hex'),
    record,
    trace: data.trace ?? null,
    peer: data.peer ?? null,
    readiness: data.readiness ?? null,
    symbol: data.symbol ?? null,
    forced_hold: data.forced_hold ?? null,
    detail_state: detail === null ? 'expired' : 'held',
    detail,
  };
}

/** Changes one byte of a file. */
export async function flip(path: string, at = 0): Promise<void> {
  const bytes = await readFile(path);
  const place = at < 0 ? bytes.length + at : at;
  bytes[place] = bytes[place]! ^ 1;
  await writeFile(path, bytes);
}

export async function save(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

function rootOf(leaves: readonly Buffer[]): Buffer {
  let row = [...leaves];
  while (row.length > 1) {
    row = Array.from({ length: row.length / 2 }, (_, at) => nodeHash(row[2 * at]!, row[2 * at + 1]!));
  }
  return row[0]!;
}
