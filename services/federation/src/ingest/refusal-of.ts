import { cloudEventSchema, mediaTypeSchema, type FeedHeader } from '@boardwire/contracts';
import { isShared, type RoomPlace } from '../rooms/room-scope.ts';
import { hasMarks, mayRedact, tellsTheSame } from '../redactions/redaction-rules.ts';
import type { Refusal } from './item-outcome.ts';
import type { VerifiedItem } from './verify-item.ts';

/** What a room's genesis says of its events. */
export interface RoomLaw extends RoomPlace {
  admins: readonly string[];
}

/** Why what its origin has signed isn't taken all the same. It will never be: asking again would bring the same. */
export function refusalOf(place: RoomLaw, { content, data }: VerifiedItem): Refusal | undefined {
  if (!isShared(place, content.subject)) return 'subject';
  if (!hasEventAttributes(content)) return 'attributes';
  if (!hasMarks(content) || !tellsTheSame(content, data)) return 'redaction';
  if (content.redacts !== undefined && !mayRedact(content.site, content.redacts, place.admins)) return 'redaction';
  return data === null || content.dform === 'bytes' || isOwnText(data) ? undefined : 'data_form';
}

/** An extension attribute under the name of another attribute would be written twice, and read as either. */
function hasEventAttributes(content: FeedHeader): boolean {
  const { id, source, type, subject, time, datacontenttype, dataschema, extensions } = content;
  // The rest of the header is held to the same schemas as an event.
  if (extensions === undefined && dataschema === undefined) {
    return datacontenttype === undefined || mediaTypeSchema.safeParse(datacontenttype).success;
  }
  const given = { specversion: '1.0', id, source, type, subject, time, datacontenttype, dataschema };
  const own = { ...given, data: undefined, data_base64: undefined };
  if (Object.keys(extensions ?? {}).some((name) => Object.hasOwn(own, name))) return false;
  return cloudEventSchema.safeParse({ ...extensions, ...own }).success;
}

/** Chat hashes the text that this runtime writes: another spelling of the same value would have another hash there. */
function isOwnText(data: Buffer): boolean {
  if (data.length === 0) return true;
  try {
    const text = data.toString('utf8');
    return JSON.stringify(JSON.parse(text)) === text && text.isWellFormed() && Buffer.from(text).equals(data);
  } catch {
    return false;
  }
}
