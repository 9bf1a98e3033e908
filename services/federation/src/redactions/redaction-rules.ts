import {
  redactedEventSchema,
  redactedType,
  redactionSource,
  type FeedHeader,
  type RedactedEvent,
} from '@boardwire/contracts';

/**
 * Whether a site's word takes the content of an event: its own events are its own to remove, whoever of its people did it,
 * and those of all members are an admin site's. Follows from the header and the genesis alone, so that it is the same
 * on every member, whatever has come there already.
 */
export function mayRedact(site: string, { origin }: RedactedEvent, admins: readonly string[]): boolean {
  return site === origin || admins.includes(site);
}

/** Whether a header has all the marks of a redaction, or none of them. What says that something is gone stays. */
export function hasMarks({ type, source, redacts }: FeedHeader): boolean {
  if (redacts === undefined) return type !== redactedType && source !== redactionSource;
  return type === redactedType && source === redactionSource && redacts.source !== redactionSource;
}

/** Whether readers are told of the same event that the header names. */
export function tellsTheSame({ redacts }: FeedHeader, data: Buffer | null): boolean {
  const told = redacts === undefined || data === null ? undefined : redactedEventIn(data);
  return redacts === undefined || (told !== undefined && isSameEvent(told, redacts));
}

/** What the data of an event of this type names; undefined when it names nothing. */
export function redactedEventIn(data: Buffer): RedactedEvent | undefined {
  try {
    return redactedEventSchema.safeParse(JSON.parse(data.toString())).data;
  } catch {
    return undefined;
  }
}

export function isSameEvent(one: RedactedEvent, other: RedactedEvent): boolean {
  return one.origin === other.origin && one.source === other.source && one.id === other.id;
}
