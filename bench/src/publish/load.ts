import { Pool } from 'undici';
import { eventMediaTypes } from '@boardwire/contracts';

export interface LoadOptions {
  url: string;
  token: string;
  userId: string;
  /** Requests under way at once, each on a kept connection. */
  connections: number;
  /** Events in a request; 1: single posts. */
  batch: number;
  seconds: number;
  /** No more than about so many. */
  events?: number;
}

export interface LoadResult {
  accepted: number;
  refused: number;
  seconds: number;
  /** Highest seq of a receipt. */
  last: number;
  /** Milliseconds of each request. */
  requestMs: number[];
}

const path = '/v1/boards/events/events';
const payload = { text: 'x'.repeat(160), score: 12_345 };

/**
 * Publishes as fast as answers come, for some seconds: a closed loop on each connection. Every receipt is read, so that
 * "accepted" is what the site said 201 to.
 */
export async function publishLoad(options: LoadOptions): Promise<LoadResult> {
  const { url, connections, seconds, batch, events = Infinity } = options;
  const pool = new Pool(url, { connections, pipelining: 1 });
  const result: LoadResult = { accepted: 0, refused: 0, seconds: 0, last: 0, requestMs: [] };
  const startedAt = performance.now();
  const until = startedAt + seconds * 1_000;
  let asked = 0;
  const worker = async (number: number): Promise<void> => {
    for (let round = 0; performance.now() < until && asked < events; round += 1) {
      asked += batch;
      await publishOnce(pool, options, `${startedAt.toString(36)}-${number}-${round}`, result);
    }
  };
  await Promise.all(Array.from({ length: connections }, (_, number) => worker(number)));
  result.seconds = (performance.now() - startedAt) / 1_000;
  await pool.close();
  return result;
}

async function publishOnce(pool: Pool, options: LoadOptions, id: string, result: LoadResult): Promise<void> {
  const { token, batch } = options;
  const sentAt = performance.now();
  const { statusCode, body } = await pool.request({
    method: 'POST',
    path,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': batch === 1 ? eventMediaTypes.plain : eventMediaTypes.batch,
    },
    body: batch === 1 ? single(id) : many(options, id),
  });
  const text = await body.text();
  result.requestMs.push(performance.now() - sentAt);
  if (statusCode >= 300) {
    result.refused += batch;
    return;
  }
  count(result, text);
}

/** Receipts are counted by their seqs: parsing all of them would be most of the load generator's work. */
function count(result: LoadResult, text: string): void {
  for (const match of text.matchAll(/"seq":([0-9]+)/g)) {
    result.accepted += 1;
    result.last = Math.max(result.last, Number(match[1]));
  }
}

function single(id: string): string {
  return `{"id":"${id}","subject":"GameScore.bench","type":"game.score","data":${data}}`;
}

const data = JSON.stringify(payload);

function many({ userId, batch }: LoadOptions, id: string): string {
  const events = Array.from(
    { length: batch },
    (_, at) =>
      `{"specversion":"1.0","id":"${id}-${at}","source":"/users/${userId}","subject":"GameScore.bench","type":"game.score","data":${data}}`,
  );
  return `[${events.join(',')}]`;
}
