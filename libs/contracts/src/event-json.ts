import type { EventClass } from './event.ts';

/** What stands in an event: what its publisher gave, and what the platform says of it. */
export interface EventParts {
  id: string;
  source: string;
  type: string;
  subject: string;
  time: string;
  datacontenttype?: string | undefined;
  /** The data as JSON text; empty when there is none. */
  data: string;
  board: string;
  author: string;
  authorname: string;
  /** The site where the event was accepted. */
  origin: string;
  class: EventClass;
}

/**
 * An event's final bytes, of every class: CloudEvents JSON with what Boardwire adds. `data` goes in as the very text
 * that its hash is made of. Type, subject, board, origin and class are plain by their grammar.
 */
export function eventJson(event: EventParts): string {
  const { data } = event;
  const mediaType = event.datacontenttype ?? (data === '' ? undefined : 'application/json');
  const content = mediaType === undefined ? '' : `"datacontenttype":${JSON.stringify(mediaType)},`;
  return (
    `{"specversion":"1.0","id":${JSON.stringify(event.id)},"source":${JSON.stringify(event.source)},` +
    `"type":"${event.type}","subject":"${event.subject}","time":${JSON.stringify(event.time)},${content}` +
    `${data === '' ? '' : `"data":${data},`}"board":"${event.board}","author":${JSON.stringify(event.author)},` +
    `"authorname":${JSON.stringify(event.authorname)},"origin":"${event.origin}","class":"${event.class}"}`
  );
}
