import type { ForeignItem } from '@boardwire/contracts';
import type { WaitingItem } from './handover-store.ts';

/** The event behind an item, as chat takes it. Its data must still be there. */
export function foreignItemOf({ content, salt, data }: WaitingItem & { salt: Buffer; data: Buffer }): ForeignItem {
  const { id, source, type, subject, time, datacontenttype, dataschema, extensions, author, authorname } = content;
  return {
    id,
    source,
    type,
    subject,
    time,
    ...(datacontenttype === undefined ? {} : { datacontenttype }),
    ...(dataschema === undefined ? {} : { dataschema }),
    ...(extensions === undefined ? {} : { extensions }),
    ...dataOf(content.dform, data),
    author,
    authorname,
    origin: content.site,
    salt: salt.toString('hex'),
    datahash: content.datahash,
  };
}

function dataOf(form: 'json' | 'bytes', data: Buffer): Pick<ForeignItem, 'data' | 'data_base64'> {
  if (form === 'bytes') return { data_base64: data.toString('base64') };
  return data.length === 0 ? {} : { data: JSON.parse(data.toString()) as NonNullable<ForeignItem['data']> };
}
