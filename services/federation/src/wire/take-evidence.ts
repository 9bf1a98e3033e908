import { evidenceRequestSchema } from '@boardwire/contracts';
import type { EvidenceBook } from '../evidence/evidence-book.ts';
import { FedError } from './fed-error.ts';
import { parseBody, type WireRoute } from './wire-route.ts';

/** `POST …/evidence`: a peer proves that a site says two things at one place of its feed. */
export function evidenceRoute(evidence: EvidenceBook): WireRoute {
  return {
    method: 'POST',
    path: 'evidence',
    scope: 'read',
    bodyBytesMax: 512 * 1024,
    async answer({ peer, room, body }) {
      const { items } = parseBody(evidenceRequestSchema, body);
      if (!(await evidence.take(room, items, peer.site))) {
        throw new FedError('malformed', { detail: 'not two signed headers of one place' });
      }
      return { status: 204 };
    },
  };
}
