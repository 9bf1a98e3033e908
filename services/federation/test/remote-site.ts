import { createHash, randomBytes } from 'node:crypto';
import {
  feedEpochType,
  feedHeaderType,
  noPrevious,
  redactedType,
  redactionSource,
  type FeedEpochRecord,
  type FeedHeader,
  type WireItem,
} from '@boardwire/contracts';
import {
  canonicalBytes,
  generateSigningKey,
  preAuthenticationEncoding,
  signEnvelope,
  type Envelope,
  type SigningKey,
  type VerifyingKey,
} from '@boardwire/signing';
import { keyIdOf, siteIdOf } from '../src/identity/site-id.ts';
import type { SiteKeyring } from '../src/ingest/site-keyring.ts';

export const sha256 = (...parts: Uint8Array[]) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

export interface Written {
  wire: WireItem;
  header: FeedHeader;
  hash: string;
}

/** Another site, which signs whatever a test wants it to. */
export class RemoteSite {
  readonly root = generateSigningKey();
  readonly event = generateSigningKey();
  readonly id = siteIdOf(this.root.publicKey);
  readonly kid = keyIdOf('event', this.event.publicKey);
  readonly epoch = 'e1';

  constructor(readonly room: string) {}

  record(more: Partial<FeedEpochRecord> = {}, key: SigningKey = this.root): Envelope {
    const at = '2026-01-01T00:00:00Z';
    const record = { v: 1, room: this.room, site: this.id, epoch: this.epoch, ordinal: 0, at, ...more };
    return signEnvelope(feedEpochType, canonicalBytes(record), [{ keyid: 'root', key }]);
  }

  /** The next item behind `before`; what the header says can be anything. */
  write(before: Written | undefined, text: string, more: Partial<FeedHeader> = {}): Written {
    const data = Buffer.from(JSON.stringify({ text }));
    const salt = randomBytes(16);
    const header: FeedHeader = {
      v: 1,
      room: this.room,
      site: this.id,
      epoch: this.epoch,
      oseq: (before?.header.oseq ?? 0) + 1,
      prev: before?.hash ?? noPrevious,
      subject: 'room.a.chat',
      type: 'chat.post',
      time: '2026-01-01T00:00:00Z',
      id: text,
      source: '/users/1',
      author: '1',
      authorname: 'Ann',
      datacontenttype: 'application/json',
      datahash: sha256(salt, data),
      dsize: data.length,
      dform: 'json',
      kid: this.kid,
      ...more,
    };
    return this.sign(canonicalBytes(header), { header, salt, data });
  }

  /** The redaction of an event, as this site would tell it; its data can name anything. */
  redact(
    before: Written | undefined,
    of: Pick<Written, 'header'>,
    told?: object,
    more: Partial<FeedHeader> = {},
  ): Written {
    const redacts = { origin: of.header.site, source: of.header.source, id: of.header.id };
    const data = Buffer.from(JSON.stringify(told ?? redacts));
    const salt = randomBytes(16);
    const id = `redaction-${(before?.header.oseq ?? 0) + 1}`;
    const hashed = { datahash: sha256(salt, data), dsize: data.length };
    const marks = { type: redactedType, source: redactionSource, redacts };
    const { header } = this.write(before, id, { ...marks, ...hashed, ...more });
    return this.sign(canonicalBytes(header), { header, salt, data });
  }

  sign(
    bytes: Buffer,
    { header, salt, data }: { header: FeedHeader; salt: Buffer; data: Buffer },
    key: SigningKey = this.event,
  ): Written {
    const sig = key.sign(preAuthenticationEncoding(feedHeaderType, bytes)).toString('base64url');
    const wire: WireItem = {
      h: bytes.toString('base64url'),
      sigs: [{ kid: header.kid, sig }],
      salt: salt.toString('base64url'),
      data: data.toString('base64url'),
      via: [this.id],
    };
    return { wire, header, hash: sha256(bytes) };
  }

  feed(count: number, prefix = this.id.slice(3, 7)): Written[] {
    const items: Written[] = [];
    for (let n = 1; n <= count; n += 1) items.push(this.write(items.at(-1), `${prefix}-${n}`));
    return items;
  }
}

/** The event keys of these sites, as their documents would tell them. */
export function keyringOf(...sites: readonly RemoteSite[]): SiteKeyring {
  const keys = new Map<string, VerifyingKey>(sites.map(({ id, kid, event }) => [`${id} ${kid}`, event]));
  return { eventKey: (site, kid) => Promise.resolve(keys.get(`${site} ${kid}`)) };
}
