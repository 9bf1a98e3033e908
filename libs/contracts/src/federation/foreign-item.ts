import { z } from 'zod';
import { checkAttributes, cloudEventAttributes } from '../cloud-event.ts';
import { timeSchema } from '../event.ts';
import { appendItemSchema } from '../internal.ts';
import { limits } from '../limits.ts';
import { hashSchema, siteIdSchema } from './feed-header.ts';

/**
 * One event that another site accepted. Everything is as it was there: id, time, author, and the salt, so that the hash of
 * its data is the same on every site. `data` is a JSON value: its hash is made of the text that `JSON.stringify` gives,
 * as on the site where it was accepted; that of `data_base64` is made of its bytes.
 */
export const foreignItemSchema = z
  .strictObject({
    ...appendItemSchema.shape,
    origin: siteIdSchema,
    time: timeSchema,
    /** Hex. */
    salt: z.string().regex(/^[0-9a-f]{32}$/),
    /** Hex SHA-256 of salt ‖ data: an item whose data makes another one is refused. */
    datahash: hashSchema,
  })
  .superRefine(checkAsPublished);
export type ForeignItem = z.infer<typeof foreignItemSchema>;

/** What comes out of a JSON parser is JSON; walking through it again would tell nothing new. */
const attributesSchema = cloudEventAttributes.extend({ data: z.unknown().optional() }).superRefine(checkAttributes);

/** No gateway of this site has looked at it, and names of extensions become part of the stored bytes as they are. */
function checkAsPublished(item: z.core.output<typeof appendItemSchema>, context: z.RefinementCtx): void {
  const { extensions = {}, author: _author, authorname: _name, ...rest } = item;
  const taken = Object.keys(extensions).find((name) => Object.hasOwn(cloudEventAttributes.shape, name));
  if (taken !== undefined) {
    context.addIssue({ code: 'custom', path: ['extensions', taken], message: 'not the name of an extension' });
    return;
  }
  const { origin: _origin, salt: _salt, datahash: _hash, ...attributes } = rest as Record<string, unknown>;
  const parsed = attributesSchema.safeParse({ specversion: '1.0', ...attributes, ...extensions });
  for (const { path, message } of parsed.error?.issues ?? []) context.addIssue({ code: 'custom', path, message });
}

/** `POST /internal/v1/boards/{board}/foreign-events`, for federation alone; answered as an append. */
export const foreignAppendRequestSchema = z.strictObject({
  items: z.array(foreignItemSchema).min(1).max(limits.appendBatchEventsMax),
});
export type ForeignAppendRequest = z.infer<typeof foreignAppendRequestSchema>;
