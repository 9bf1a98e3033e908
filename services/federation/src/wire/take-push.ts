import { federationLimits, type PushAnswer, type WireItem } from '@boardwire/contracts';
import { z } from 'zod';
import type { Ingest, ItemOutcome } from '../ingest/ingest.ts';
import type { RoomMembers } from '../members/room-members.ts';
import { FedError } from './fed-error.ts';
import { originOf } from './item-origin.ts';
import type { PeerRates } from './peer-rates.ts';
import { parseBody, type WireCall, type WireRoute } from './wire-route.ts';

/** Items one by one are ingest's to judge: a bad one never fails its batch. */
const pushSchema = z.strictObject({
  members: z.array(z.unknown()).max(federationLimits.membersMax).optional(),
  items: z.array(z.unknown()).max(federationLimits.batchItemsMax),
});

/** Items of a full batch in base64, each with its signatures and carriers, and the bundles of a full room. */
const bodyBytesMax = 2 * federationLimits.batchBytesMax + 256 * 1024;

export interface TakePushParts {
  ingest: Ingest;
  members: RoomMembers;
  rates: PeerRates;
  /** What became of the items, for whoever has to bear the blame. */
  onOutcomes: (outcomes: readonly ItemOutcome[], items: readonly WireItem[], carrier: string) => Promise<void>;
}

/** `POST …/events`: items that a peer brings, which nobody may be able to call. */
export function pushRoute({ ingest, members, rates, onOutcomes }: TakePushParts): WireRoute {
  return {
    method: 'POST',
    path: 'events',
    scope: 'write',
    bodyBytesMax,
    answer: ({ peer, room, grant, body }) =>
      rates.push(peer, async () => {
        const push = parseBody(pushSchema, body);
        const items = push.items as WireItem[];
        assertSize(items);
        assertDirection(items, peer.site, grant);
        rates.spend(peer, Math.max(0, items.length - 1));
        if (push.members !== undefined) await members.take(room, push.members);
        const outcomes = await ingest.take(room, items, { carrier: peer.site });
        await onOutcomes(outcomes, items, peer.site);
        const json: PushAnswer = { outcomes, vector: await ingest.vector(room) };
        return { status: 200, json };
      }),
  };
}

/** What others said only a peer that relays may bring. */
function assertDirection(items: readonly unknown[], carrier: string, { scopes }: WireCall['grant']): void {
  if (scopes.includes('relay')) return;
  if (items.some((item) => (originOf(item) ?? carrier) !== carrier)) {
    throw new FedError('direction_denied', { detail: 'not granted: relay' });
  }
}

/** A batch's bound is of what its items hold; one alone passes whatever its size, as far as an item may have it. */
function assertSize(items: readonly Partial<WireItem>[]): void {
  const sizes = items.map((item) => (item === null ? 0 : decodedLength(item.h) + decodedLength(item.data)));
  const size = sizes.slice(1).reduce((sum, one) => sum + one, 0);
  if (size > federationLimits.batchBytesMax) throw new FedError('too_large', { detail: 'more than a batch may hold' });
}

const decodedLength = (text: unknown) => (typeof text === 'string' ? Math.floor((text.length * 3) / 4) : 0);
