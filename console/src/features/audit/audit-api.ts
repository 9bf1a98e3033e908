import type { BoardwireClient } from '@boardwire/client';
import {
  auditConsistencySchema,
  auditDaysSchema,
  auditDisclosureSchema,
  auditEntrySchema,
  auditFacetsSchema,
  auditHealthSchema,
  auditPageSchema,
  auditProofSchema,
} from '@boardwire/contracts';
import type { Filter, Order } from './explorer-address.ts';

export interface PageRequest {
  filter: Filter;
  order: Order;
  cursor?: string | undefined;
  limit: number;
}

/** The routes of the audit log that this screen reads, each by its contract. */
export class AuditApi {
  readonly #client: BoardwireClient;

  constructor(client: BoardwireClient) {
    this.#client = client;
  }

  entries({ filter, order, cursor, limit }: PageRequest, signal?: AbortSignal) {
    return this.#json('entries', auditPageSchema, { ...filter, order, cursor, limit }, signal);
  }

  facets(filter: Filter, signal?: AbortSignal) {
    return this.#json('facets', auditFacetsSchema, filter, signal);
  }

  days(board: string | undefined, signal?: AbortSignal) {
    return this.#json('days', auditDaysSchema, { board }, signal);
  }

  health(signal?: AbortSignal) {
    return this.#json('health', auditHealthSchema, {}, signal);
  }

  entry(seq: number, signal?: AbortSignal) {
    return this.#json(`entries/${seq}`, auditEntrySchema, {}, signal);
  }

  neighbours(seq: number, limit: number, signal?: AbortSignal) {
    return this.#json(`entries/${seq}/neighbours`, auditPageSchema, { limit }, signal);
  }

  proof(seq: number, signal?: AbortSignal) {
    return this.#json(`entries/${seq}/proof`, auditProofSchema, {}, signal);
  }

  disclosure(seq: number, signal?: AbortSignal) {
    return this.#json(`entries/${seq}/disclosure`, auditDisclosureSchema, {}, signal);
  }

  consistency(claim: { from: number; to: number; epoch: string }, signal?: AbortSignal) {
    return this.#json('proof/consistency', auditConsistencySchema, claim, signal);
  }

  /** The newest checkpoint, a signed note. */
  checkpoint(signal?: AbortSignal): Promise<string> {
    return this.#text('checkpoint', signal);
  }

  /** Verifier key lines of the log and of its former epochs. */
  async keys(signal?: AbortSignal): Promise<string[]> {
    return (await this.#text('key', signal)).split('\n').filter((line) => line !== '');
  }

  tail(filter: Filter, after: number, signal: AbortSignal): Promise<Response> {
    const query = { ...filter, after: after < 0 ? undefined : after };
    return this.#client.open({ path: '/v1/audit/tail', query, accept: 'text/event-stream', signal });
  }

  export(query: Filter & { format: string; order: string }, signal: AbortSignal): Promise<Response> {
    return this.#client.open({ path: '/v1/audit/export', query, signal });
  }

  #json<T>(path: string, answer: Answer<T>, query: Query, signal?: AbortSignal): Promise<T> {
    return this.#client.request({ path: `/v1/audit/${path}`, query, answer, signal });
  }

  async #text(path: string, signal?: AbortSignal): Promise<string> {
    return (await this.#client.open({ path: `/v1/audit/${path}`, accept: 'text/plain', signal })).text();
  }
}

type Query = Readonly<Record<string, string | number | readonly string[] | undefined>>;

interface Answer<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false; error: unknown };
}
