import { z } from 'zod';
import { extensionValueSchema } from '../cloud-event.ts';
import { eventIdSchema, eventSourceSchema, eventTypeSchema, subjectSchema, timeSchema } from '../event.ts';

export const siteIdSchema = z.string().regex(/^bs1[a-z2-7]{52}$/);
export const roomIdSchema = z.string().regex(/^br1[a-z2-7]{52}$/);
/** Hex SHA-256. */
export const hashSchema = z.string().regex(/^[0-9a-f]{64}$/);
/** Of a feed, as of a board: what is written after a detected restore stands in another one. */
export const feedEpochSchema = z.string().regex(/^[a-z0-9]{1,32}$/);
export const keyIdSchema = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

/** DSSE payload type of the bytes of a {@link FeedHeader}. */
export const feedHeaderType = 'application/vnd.boardwire.feed+json';

/** `prev` of a feed's first header. */
export const noPrevious = '0'.repeat(64);

/** What names an event on every site. */
export const redactedEventSchema = z.strictObject({
  /** The site that accepted it. */
  origin: siteIdSchema,
  source: eventSourceSchema,
  id: eventIdSchema,
});
export type RedactedEvent = z.infer<typeof redactedEventSchema>;

/**
 * The header of one event in a site's feed of a room: RFC 8785 JSON, written once by the origin and from then on opaque
 * bytes. It signs every attribute of the event, and its data by hash alone, so that a redaction leaves the proof whole.
 */
export const feedHeaderSchema = z.strictObject({
  v: z.literal(1),
  room: roomIdSchema,
  site: siteIdSchema,
  epoch: feedEpochSchema,
  /** Its place in the feed: 1, 2, 3 … */
  oseq: z.number().int().positive(),
  /** Hex SHA-256 of the header before it in this feed, or {@link noPrevious}. */
  prev: hashSchema,
  subject: subjectSchema,
  type: eventTypeSchema,
  time: timeSchema,
  id: eventIdSchema,
  source: eventSourceSchema,
  author: z.string().max(128),
  authorname: z.string().max(128),
  datacontenttype: z.string().max(128).optional(),
  dataschema: z.string().max(1_024).optional(),
  extensions: z.record(z.string(), extensionValueSchema).optional(),
  /** Hex SHA-256 of salt ‖ data. */
  datahash: hashSchema,
  /** Bytes of the data. */
  dsize: z.number().int().nonnegative(),
  /** Whether the data is JSON text (`data` of CloudEvents) or bytes (`data_base64`). */
  dform: z.enum(['json', 'bytes']),
  /** Of an event of type `board.event.redacted`, and of no other: whose content is gone, so that the header alone proves it. */
  redacts: redactedEventSchema.optional(),
  kid: keyIdSchema,
});
export type FeedHeader = z.infer<typeof feedHeaderSchema>;

const base64urlSchema = z.string().regex(/^[A-Za-z0-9_-]*$/);

const signaturesSchema = z
  .array(z.strictObject({ kid: keyIdSchema, sig: base64urlSchema }))
  .min(1)
  .max(4);

/** One event on its way between sites. `h`, `sig`, `salt` and `data` are base64url without padding. */
export const wireItemSchema = z.strictObject({
  /** The header's bytes. */
  h: base64urlSchema.min(1),
  /** Ed25519 over the DSSE pre-authentication encoding of the header. */
  sigs: signaturesSchema,
  salt: base64urlSchema.nullable(),
  /** Null when it was removed; its salt then is null too. */
  data: base64urlSchema.nullable(),
  /** The sites that carried it, the origin first. */
  via: z.array(siteIdSchema),
  /** Without data: the header of the redaction that took it, so that it is believed whoever carries it. */
  redaction: z.strictObject({ h: base64urlSchema.min(1), sigs: signaturesSchema }).optional(),
});
export type WireItem = z.infer<typeof wireItemSchema>;
