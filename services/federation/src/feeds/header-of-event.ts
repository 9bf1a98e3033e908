import { redactedEventSchema, redactedType, type FeedHeader, type RangeItem } from '@boardwire/contracts';

/** An event of the board's log that goes into the feed. */
export interface LocalEvent {
  boardSeq: number;
  source: string;
  id: string;
  /** What its header says of the event. */
  attributes: EventAttributes;
  salt: Buffer;
  data: Buffer;
}

export type EventAttributes = Omit<FeedHeader, 'v' | 'room' | 'site' | 'epoch' | 'oseq' | 'prev' | 'kid'>;

interface StoredJson {
  [name: string]: unknown;
  id: string;
  source: string;
  origin: string;
  time: string;
  author: string;
  authorname: string;
  datacontenttype?: string;
  dataschema?: string;
  data?: unknown;
  data_base64?: string;
}

/** Everything of a stored event's JSON that isn't an extension attribute. */
const known = new Set(
  'specversion id source type subject time datacontenttype dataschema data data_base64 board author authorname origin class'.split(
    ' ',
  ),
);

/** The event behind an item of chat's log, when this site has accepted it. Undefined for others and for what was removed. */
export function localEvent(item: RangeItem, siteId: string): LocalEvent | undefined {
  if (item.body === undefined) return undefined;
  const stored = JSON.parse(item.body) as StoredJson;
  if (stored.origin !== siteId) return undefined;
  if (item.salt === undefined) throw new Error(`chat gave no salt of seq ${item.seq}`);
  const data = dataOf(stored);
  const { id, source } = stored;
  return {
    boardSeq: item.seq,
    id,
    source,
    salt: Buffer.from(item.salt, 'hex'),
    data,
    attributes: attributesOf(item, stored, data.length),
  };
}

/** The bytes that chat's `datahash` is made of: those that base64 stands for, else the JSON text of `data`. */
function dataOf({ data, data_base64: bytes }: StoredJson): Buffer {
  if (bytes !== undefined) return Buffer.from(bytes, 'base64');
  return Buffer.from(data === undefined ? '' : JSON.stringify(data));
}

function attributesOf({ subject, type, datahash }: RangeItem, stored: StoredJson, dsize: number): EventAttributes {
  const { id, source, time, author, authorname, datacontenttype, dataschema } = stored;
  const extensions = Object.entries(stored).filter(([name]) => !known.has(name));
  return {
    subject,
    type,
    time,
    id,
    source,
    author,
    authorname,
    ...(datacontenttype === undefined ? {} : { datacontenttype }),
    ...(dataschema === undefined ? {} : { dataschema }),
    ...(extensions.length === 0
      ? {}
      : { extensions: Object.fromEntries(extensions) as NonNullable<FeedHeader['extensions']> }),
    datahash,
    dsize,
    dform: stored.data_base64 === undefined ? 'json' : 'bytes',
    ...(type === redactedType ? { redacts: redactedEventSchema.parse(stored.data) } : {}),
  };
}
