import {
  reconcileRequestSchema,
  type FeedVector,
  type ReconcileAnswer,
  type ReconcileRequest,
} from '@boardwire/contracts';
import type { FeedReader } from '../feeds/feed-reader.ts';
import type { HashesOf } from './header-hashes.ts';
import { parseBody, type WireRoute } from './wire-route.ts';

const hashesMax = 1_024;
const headsMax = 256;

type Heads = Extract<ReconcileRequest, { heads: unknown }>['heads'];
type Differences = Extract<ReconcileAnswer, { differences: unknown }>['differences'];

/** `POST …/reconcile`: where two sites have another header at one place of a feed. */
export function reconcileRoute({ reader, hashes }: { reader: FeedReader; hashes: HashesOf }): WireRoute {
  const differences = async (room: string, heads: Heads): Promise<Differences> => {
    const compared = heads.slice(0, headsMax).map(async ({ site, epoch, n, hash }) => {
      const [own] = await hashes({ room, site, epoch, from: n, to: n });
      return own === undefined || own === hash ? undefined : { site, epoch, n, hash: own };
    });
    return (await Promise.all(compared)).filter((difference) => difference !== undefined);
  };
  return {
    method: 'POST',
    path: 'reconcile',
    scope: 'read',
    bodyBytesMax: 256 * 1024,
    async answer({ room, body }) {
      const request = parseBody(reconcileRequestSchema, body);
      if (!('heads' in request)) {
        const { site, epoch, from } = request;
        const to = Math.min(request.to, from + hashesMax - 1);
        return {
          status: 200,
          json: { hashes: await hashes({ room, site, epoch, from, to }) } satisfies ReconcileAnswer,
        };
      }
      const vector: FeedVector = await reader.vector(room);
      const json: ReconcileAnswer = { differences: await differences(room, request.heads), vector };
      return { status: 200, json };
    },
  };
}
