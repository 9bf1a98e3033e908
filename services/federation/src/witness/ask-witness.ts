import {
  addCheckpointAnswerSchema,
  federationPaths,
  federationProblemSchema,
  type AddCheckpointAnswer,
  type AddCheckpointRequest,
  type NewestCheckpoint,
} from '@boardwire/contracts';
import type { Logger } from '@boardwire/service-kit';
import type { HopClient } from '../hop/hop-client.ts';
import type { AskerOutcome } from '../metrics.ts';
import type { OwnLog } from './own-log.ts';
import type { WitnessSite } from './witnesses.ts';

export interface Asking {
  witness: WitnessSite;
  endpoints: readonly string[];
  newest: NewestCheckpoint;
  /** The size that the witness is believed to have seen. */
  old: number;
}

export interface Asked {
  outcome: AskerOutcome;
  /** What the witness has seen, as far as is known. */
  size: number;
  why?: string | undefined;
}

interface Parts {
  client: HopClient;
  log: OwnLog;
  logger: Logger;
}

const answerBytesMax = 16 * 1024;

/** One conversation with a witness, at the first of its addresses that answers. Never rejects. */
export async function askWitness(parts: Parts, asking: Asking, signal: AbortSignal): Promise<Asked> {
  let why: string | undefined;
  for (const endpoint of asking.endpoints) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one address after the other
      return await converse(parts, { ...asking, endpoint }, signal);
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
      parts.logger.debug({ event: 'witness.no_answer', site: asking.witness.site, err: error });
    }
  }
  return { outcome: 'failed', size: asking.old, why };
}

/** It says itself from where on it wants a proof: asked once more, it has what it needs. */
async function converse(parts: Parts, asking: Asking & { endpoint: string }, signal: AbortSignal): Promise<Asked> {
  const { newest, witness } = asking;
  let { old } = asking;
  for (let turn = 0; turn < 2; turn += 1) {
    // oxlint-disable-next-line no-await-in-loop -- a question and an answer
    const answer = await addCheckpoint(parts, { ...asking, old }, signal);
    if (answer === 'forked') return { outcome: 'forked', size: old };
    const { cosignature, size } = answer;
    if (cosignature !== null) {
      const kept = { epoch: newest.epoch, size: newest.size, witness: witness.key, cosignature };
      // oxlint-disable-next-line no-await-in-loop
      await parts.log.keep(kept, signal);
      return { outcome: 'cosigned', size: newest.size };
    }
    // It has seen more of this log than there is.
    if (size > newest.size) return { outcome: 'ahead', size };
    old = size;
  }
  return { outcome: 'failed', size: old, why: 'it wants a proof from ever another size' };
}

async function addCheckpoint(
  { client, log }: Parts,
  { witness, endpoint, newest, old }: Asking & { endpoint: string },
  signal: AbortSignal,
): Promise<AddCheckpointAnswer | 'forked'> {
  const { epoch, size, key, checkpoint } = newest;
  const proof = old === 0 || old === size ? [] : await log.proof({ epoch, from: old, to: size }, signal);
  const request: AddCheckpointRequest = { key, old, proof, checkpoint };
  const { status, json } = await client.call({
    method: 'POST',
    url: endpoint.replace(/\/+$/, '') + federationPaths.addCheckpoint,
    destination: witness.site,
    body: Buffer.from(JSON.stringify(request)),
    bytesMax: answerBytesMax,
    signal,
  });
  if (status === 200) return addCheckpointAnswerSchema.parse(json);
  const code = federationProblemSchema.safeParse(json).data?.code;
  if (code === 'equivocation') return 'forked';
  throw new Error(`it answered ${status} ${code ?? ''}`);
}
