import type { HistoryQuery } from '@boardwire/contracts';
import type { HistorySite } from './history-site.ts';

export const pageKinds = ['newest', 'in the middle', 'of one subject', 'of a rare subject'] as const;
export type PageKind = (typeof pageKinds)[number];
/** Milliseconds of each request. */
export type PageTimes = Record<PageKind, number[]>;

const limit = 50;
const requests = 200;
const warmUpRequests = 50;

/** Asks for pages of every kind, in turns, at places that spread over the whole log. */
export async function pageTimes(site: HistorySite, size: number): Promise<PageTimes> {
  const times: PageTimes = { newest: [], 'in the middle': [], 'of one subject': [], 'of a rare subject': [] };
  for (let request = -warmUpRequests; request < requests; request += 1) {
    for (const kind of pageKinds) {
      const began = performance.now();
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const count = await site.page(queryOf(kind, request + warmUpRequests, size));
      if (request >= 0) times[kind].push(performance.now() - began);
      if (count === 0) throw new Error(`a page ${kind} was empty`);
    }
  }
  return times;
}

function queryOf(kind: PageKind, request: number, size: number): HistoryQuery {
  const place = Math.floor((((request * 7_919) % 1_000) / 1_000) * (size - 2 * limit));
  switch (kind) {
    case 'newest':
      return { subjects: ['>'], limit };
    case 'in the middle':
      return { subjects: ['>'], after: place, limit };
    case 'of one subject':
      return { subjects: [`bench.s${request % 100}`], before: place + 2 * limit + 100, limit };
    case 'of a rare subject':
      return { subjects: ['bench.rare'], limit };
  }
}
