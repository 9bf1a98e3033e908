import { z } from 'zod';
import { timeSchema } from '../event.ts';
import { envelopeSchema } from './envelope.ts';
import { federationErrorCodes } from './federation-errors.ts';
import { feedEpochSchema, siteIdSchema, wireItemSchema } from './feed-header.ts';
import { feedVectorSchema } from './federation-room.ts';
import { memberBundleSchema } from './membership.ts';

/** Media type of `POST …/stream`'s answer: a frame for each line. */
export const ndjsonMediaType = 'application/x-ndjson';

/** Inside the signed hello: what the answering site has. */
export const streamHelloSchema = z.looseObject({ room: z.string(), vector: feedVectorSchema, heartbeatMs: z.number() });

/**
 * Frames of a stream. The first is `hello`, signed for this very request, then every member known, then items. `hb` comes
 * every 15 s, and sooner, at most twice a second, when the vector has grown: whoever is behind on any feed sees it there.
 */
export const streamFrameSchema = z.discriminatedUnion('t', [
  z.strictObject({ t: z.literal('hello'), h: z.string(), kid: z.string(), sig: z.string() }),
  z.strictObject({ t: z.literal('member'), member: memberBundleSchema }),
  z.strictObject({ t: z.literal('ev'), item: wireItemSchema }),
  z.strictObject({
    t: z.literal('hb'),
    at: timeSchema,
    vector: feedVectorSchema,
    /** The site's signed word of its own feed; null while that is empty. */
    head: envelopeSchema.nullable(),
  }),
  /** From here on this feed isn't kept here, though others may have it: the stream goes on without it. */
  z.strictObject({
    t: z.literal('gap'),
    site: siteIdSchema,
    epoch: feedEpochSchema,
    from: z.number().int().positive(),
  }),
  /** The last frame. */
  z.strictObject({
    t: z.literal('bye'),
    code: z.enum([...federationErrorCodes, 'slow_consumer', 'draining', 'superseded']),
    retryMs: z.number().int().nonnegative().optional(),
  }),
]);
export type StreamFrame = z.infer<typeof streamFrameSchema>;
