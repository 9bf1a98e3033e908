import type { Extensions } from './cloud-event.ts';
import type { EventClass } from './event.ts';

/** What its publisher gave, and who that is. */
export interface GivenEvent {
  id: string;
  source: string;
  type: string;
  subject: string;
  datacontenttype?: string | undefined;
  dataschema?: string | undefined;
  extensions?: Extensions | undefined;
  data_base64?: string | undefined;
  author: string;
  authorname: string;
}

/** What the platform says of an event. */
export interface EventStamp {
  time: string;
  /** The data as JSON text; empty when there is none, or `data_base64` in its place. */
  data: string;
  board: string;
  /** The site where the event was accepted. */
  origin: string;
  class: EventClass;
}

/**
 * An event's final bytes, of every class: CloudEvents JSON with what Boardwire adds. `data` goes in as the very text
 * that its hash is made of, and so does base64. Type, subject, board, origin and class are plain by their grammar.
 * Two arguments, because joining them by a spread costs more than the text.
 */
export function eventJson(event: GivenEvent, stamp: EventStamp): string {
  const { data } = stamp;
  const mediaType = event.datacontenttype ?? (data === '' ? undefined : 'application/json');
  const content = mediaType === undefined ? '' : `"datacontenttype":${JSON.stringify(mediaType)},`;
  const extra = event.dataschema === undefined && event.extensions === undefined ? '' : extraJson(event);
  return (
    `{"specversion":"1.0","id":${JSON.stringify(event.id)},"source":${JSON.stringify(event.source)},` +
    `"type":"${event.type}","subject":"${event.subject}","time":${JSON.stringify(stamp.time)},${content}${extra}` +
    `${dataJson(event, data)}"board":"${stamp.board}","author":${JSON.stringify(event.author)},` +
    `"authorname":${JSON.stringify(event.authorname)},"origin":"${stamp.origin}","class":"${stamp.class}"}`
  );
}

function dataJson({ data_base64: bytes }: GivenEvent, data: string): string {
  if (bytes !== undefined) return `"data_base64":"${bytes}",`;
  return data === '' ? '' : `"data":${data},`;
}

/** Names of extensions are plain by their grammar. */
function extraJson({ dataschema, extensions = {} }: GivenEvent): string {
  const schema = dataschema === undefined ? '' : `"dataschema":${JSON.stringify(dataschema)},`;
  return (
    schema +
    Object.entries(extensions)
      .map(([name, value]) => `"${name}":${JSON.stringify(value)},`)
      .join('')
  );
}
