import { boardSlugSchema, limits } from '@boardwire/contracts';
import { z } from 'zod';
import { seatFiltersMax, type SeatState } from '../seat.ts';

/*
 * What gateways tell each other, as JSON. `incarnation` names one life of a pod; `version` counts its deltas. A seat
 * carries how many subscriptions keep it, not by how many more: hearing it twice does no harm.
 */

const pod = { pod: z.string().min(1).max(253), incarnation: z.string().min(1).max(64) };
const version = z.number().int().min(0);
const wholeSchema = { version, count: z.number().int().min(0), hash: z.string().max(32) };
/** A filter behind the word that tells open subjects from those of members, so one token longer than a client's. */
const reachSchema = z
  .string()
  .min(1)
  .max(limits.subjectBytesMax + 16);
const seatsSchema = {
  /** What readers reach, in sets, which seats name by their place. */
  filters: z.array(z.array(reachSchema).min(1).max(seatFiltersMax)),
  /** Board, filters, user id, user name, subscriptions. */
  seats: z.array(
    z.tuple([
      boardSlugSchema,
      z.number().int().min(0),
      z.string().min(1).max(128),
      z.string().max(256),
      z.number().int().min(0).max(1_000_000),
    ]),
  ),
};

const messageSchema = z.discriminatedUnion('type', [
  /** I am here, and this is what I told. */
  z.object({ type: z.literal('beat'), ...pod, ...wholeSchema }),
  /** What brings one from the version before to this one. */
  z.object({ type: z.literal('delta'), ...pod, version, ...seatsSchema }),
  /** A part of everything at a version. */
  z.object({
    type: z.literal('list'),
    ...pod,
    ...wholeSchema,
    part: z.number().int().min(0),
    parts: z.number().int().min(1).max(4_096),
    ...seatsSchema,
  }),
  /** I go; whoever was here may be elsewhere in a moment. */
  z.object({ type: z.literal('bye'), ...pod }),
]);
export type GossipMessage = z.infer<typeof messageSchema>;
export type MessageOf<T extends GossipMessage['type']> = Extract<GossipMessage, { type: T }>;
export type SeatBatch = Pick<MessageOf<'delta'>, 'filters' | 'seats'>;

/** For whom a list is asked: a later life of the pod is not meant. */
const askSchema = z.object({ incarnation: z.string() });

const bytesMax = 2 * limits.presenceChunkBytesMax;

export function encodeGossip(message: GossipMessage | z.infer<typeof askSchema>): string {
  return JSON.stringify(message);
}

/** @returns undefined for what is no message: anybody on the bus may send anything. */
export function decodeGossip(data: Uint8Array): GossipMessage | undefined {
  return parse(data, messageSchema);
}

/** @returns whose list is asked for. */
export function decodeAsk(data: Uint8Array): string | undefined {
  return parse(data, askSchema)?.incarnation;
}

function parse<S extends z.ZodType>(data: Uint8Array, schema: S): z.infer<S> | undefined {
  if (data.length > bytesMax) return undefined;
  try {
    return schema.safeParse(JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.length).toString('utf8'))).data;
  } catch {
    return undefined;
  }
}

/** @returns undefined when a seat names filters that are not there. */
export function seatsOf({ filters, seats }: SeatBatch): SeatState[] | undefined {
  const states: SeatState[] = [];
  for (const [board, at, id, name, open] of seats) {
    const wanted = filters[at];
    if (wanted === undefined) return undefined;
    states.push({ board, filters: wanted, user: { id, name }, open });
  }
  return states;
}

/** Batches that stay below the size of a chunk; one empty batch for no seats. */
export function seatBatches(states: Iterable<SeatState>, bytesPerBatch = limits.presenceChunkBytesMax - 1_024) {
  const batches: SeatBatch[] = [];
  let batch: SeatBatch = { filters: [], seats: [] };
  let places = new Map<string, number>();
  let bytes = 0;
  for (const { board, user, filters, open } of states) {
    const filtersText = JSON.stringify(filters);
    const seatBytes = Buffer.byteLength(JSON.stringify([board, 99_999, user.id, user.name, open])) + 1;
    const needed = seatBytes + (places.has(filtersText) ? 0 : Buffer.byteLength(filtersText) + 1);
    if (bytes + needed > bytesPerBatch && batch.seats.length > 0) {
      batches.push(batch);
      batch = { filters: [], seats: [] };
      places = new Map();
      bytes = 0;
    }
    let place = places.get(filtersText);
    if (place === undefined) {
      places.set(filtersText, (place = batch.filters.push([...filters]) - 1));
      bytes += Buffer.byteLength(filtersText) + 1;
    }
    batch.seats.push([board, place, user.id, user.name, open]);
    bytes += seatBytes;
  }
  return [...batches, batch];
}
