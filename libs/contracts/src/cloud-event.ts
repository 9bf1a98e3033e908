import { z } from 'zod';
import {
  eventIdSchema,
  eventSourceSchema,
  eventTypeSchema,
  jsonValueSchema,
  subjectSchema,
  timeSchema,
} from './event.ts';
import { limits } from './limits.ts';

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
/** RFC 9110, 8.3.1, with any parameters. */
export const mediaTypeSchema = z
  .string()
  .max(limits.mediaTypeCharsMax)
  .regex(new RegExp(`^${token}/${token}(?:[ \\t]*;[\\t\\x20-\\x7e]*)?$`), 'must be a media type');

/** Whether data of this type is JSON: then it stands in an event as the value, and else as a string or as base64. */
export function isJsonMediaType(mediaType: string | undefined): boolean {
  return mediaType === undefined || /^[^/;]+\/(?:[^;]+\+)?json[ \t]*(?:;|$)/i.test(mediaType);
}

/** Only one spelling of the same bytes is taken: the unused bits of the last character are zero (RFC 4648, 3.5). */
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/;

// eslint-disable-next-line no-control-regex
const control = /[\u0000-\u001f\u007f-\u009f]/;
/** CloudEvents' simple types as JSON has them: a string without control characters, a boolean, a 32-bit integer. */
export const extensionValueSchema = z.union([
  z
    .string()
    .max(limits.extensionCharsMax)
    .refine((text) => text.isWellFormed() && !control.test(text), { message: 'text without control characters' }),
  z.boolean(),
  z.int32(),
]);
export type ExtensionValue = z.infer<typeof extensionValueSchema>;
export type Extensions = Readonly<Record<string, ExtensionValue>>;

/** What the platform says of an event, or might one day: nobody else speaks under these names. */
export const addedAttributes: ReadonlySet<string> = new Set([
  'board',
  'author',
  'authorname',
  'origin',
  'class',
  'cursor',
  'seq',
  'epoch',
  'salt',
  'datahash',
  'removed',
  'redacted',
]);
const extensionName = /^[a-z0-9]{1,20}$/;

/** Everything of {@link cloudEventSchema} but what is between attributes; for those who read a variant of it. */
export const cloudEventAttributes = z
  .object({
    specversion: z.literal('1.0'),
    id: eventIdSchema,
    source: eventSourceSchema,
    type: eventTypeSchema,
    subject: subjectSchema,
    time: timeSchema.optional(),
    datacontenttype: mediaTypeSchema.optional(),
    dataschema: z
      .string()
      .max(limits.dataschemaCharsMax)
      .regex(/^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/, 'must be an absolute URI')
      .optional(),
    data: jsonValueSchema.optional(),
    data_base64: z.string().regex(base64, 'must be base64').optional(),
  })
  .catchall(extensionValueSchema);

const ownAttributes: ReadonlySet<string> = new Set(Object.keys(cloudEventAttributes.shape));

/** What {@link cloudEventSchema} checks of all attributes together. */
export function checkAttributes(event: Record<string, unknown>, context: z.RefinementCtx): void {
  const refuse = (name: string, message: string) => context.addIssue({ code: 'custom', path: [name], message });
  const extensions = Object.keys(event).filter((name) => !ownAttributes.has(name));
  for (const name of extensions) {
    if (!extensionName.test(name)) refuse(name, 'an extension attribute has a name of 1–20 characters a–z and 0–9');
    else if (addedAttributes.has(name)) refuse(name, 'this attribute is the board’s to set');
  }
  if (extensions.length > limits.extensionsMax) {
    refuse(extensions[limits.extensionsMax]!, `at most ${limits.extensionsMax} extension attributes`);
  }
  const { data, data_base64: bytes, datacontenttype } = event;
  if (data !== undefined && bytes !== undefined) refuse('data_base64', 'data comes once, as JSON or as base64');
  if (data !== undefined && typeof data !== 'string' && !isJsonMediaType(datacontenttype as string | undefined)) {
    refuse('data', 'data of a type that is not JSON is a string, or data_base64');
  }
}

/**
 * A CloudEvents 1.0 event in the JSON format, as a client may publish it, with extension attributes. An attribute that
 * is null counts as absent, and readers take it out before they come here.
 */
export const cloudEventSchema = cloudEventAttributes.superRefine(checkAttributes);
export type PublishedCloudEvent = z.infer<typeof cloudEventSchema>;
