import type { Extensions } from './cloud-event.ts';
import type { EventClass } from './event.ts';

/** What stands in an event: what its publisher gave, and what the platform says of it. */
export interface EventParts {
  id: string;
  source: string;
  type: string;
  subject: string;
  time: string;
  datacontenttype?: string | undefined;
  dataschema?: string | undefined;
  extensions?: Extensions | undefined;
  /** The data as JSON text; empty when there is none, or `data_base64` in its place. */
  data: string;
  data_base64?: string | undefined;
  board: string;
  author: string;
  authorname: string;
  /** The site where the event was accepted. */
  origin: string;
  class: EventClass;
}

/**
 * An event's final bytes, of every class: CloudEvents JSON with what Boardwire adds. `data` goes in as the very text
 * that its hash is made of, and so does base64. Type, subject, board, origin and class are plain by their grammar.
 */
export function eventJson(event: EventParts): string {
  const { data } = event;
  const mediaType = event.datacontenttype ?? (data === '' ? undefined : 'application/json');
  const content = mediaType === undefined ? '' : `"datacontenttype":${JSON.stringify(mediaType)},`;
  const extra = event.dataschema === undefined && event.extensions === undefined ? '' : extraJson(event);
  return (
    `{"specversion":"1.0","id":${JSON.stringify(event.id)},"source":${JSON.stringify(event.source)},` +
    `"type":"${event.type}","subject":"${event.subject}","time":${JSON.stringify(event.time)},${content}${extra}` +
    `${dataJson(event)}"board":"${event.board}","author":${JSON.stringify(event.author)},` +
    `"authorname":${JSON.stringify(event.authorname)},"origin":"${event.origin}","class":"${event.class}"}`
  );
}

function dataJson({ data, data_base64: bytes }: EventParts): string {
  if (bytes !== undefined) return `"data_base64":"${bytes}",`;
  return data === '' ? '' : `"data":${data},`;
}

/** Names of extensions are plain by their grammar. */
function extraJson({ dataschema, extensions = {} }: EventParts): string {
  const schema = dataschema === undefined ? '' : `"dataschema":${JSON.stringify(dataschema)},`;
  return (
    schema +
    Object.entries(extensions)
      .map(([name, value]) => `"${name}":${JSON.stringify(value)},`)
      .join('')
  );
}
