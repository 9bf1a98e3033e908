import { setTimeout as sleep } from 'node:timers/promises';
import { auditDaysSchema, auditHealthSchema, auditPageSchema, type AuditEntry } from '@boardwire/contracts';
import type { BoardwireClient } from '@boardwire/client';
import { board } from './script.ts';
import type { Sighting } from './verdict.ts';

const pageMax = 500;
const dayMs = 24 * 3_600_000;

/** The audit log as an auditor reads it through the public API. */
export class AuditRecord {
  readonly #baseUrl: string;
  readonly #client: BoardwireClient;

  constructor(baseUrl: string, client: BoardwireClient) {
    this.#baseUrl = baseUrl;
    this.#client = client;
  }

  /** How many entries there are. */
  async size(): Promise<number> {
    return auditHealthSchema.parse(await this.#get('/v1/audit/health')).size;
  }

  /** True when the log has the board's events up to a seq, or the time is over. */
  async hasReached(seq: number, timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const { boards } = auditHealthSchema.parse(await this.#get('/v1/audit/health'));
      if ((boards.find((one) => one.board === board)?.audited ?? 0) >= seq) return true;
      if (performance.now() > deadline) return false;
      await sleep(200);
    }
  }

  /** The board's events among the entries from a number on, in the log's order. */
  async eventsFrom(size: number): Promise<Sighting[]> {
    const { days } = auditDaysSchema.parse(await this.#get('/v1/audit/days'));
    // The board's zone decides on the day; a day's slack covers every zone.
    const from = new Date(Date.now() - 2 * dayMs).toISOString().slice(0, 10);
    const sightings: Sighting[] = [];
    for (const { day } of days.filter((one) => one.day >= from).toSorted((a, b) => (a.day < b.day ? -1 : 1))) {
      for await (const entry of this.#entries(day, size - 1)) {
        if (entry.board !== board || entry.board_seq === null || entry.event_id === null) continue;
        sightings.push({ seq: entry.board_seq, id: entry.event_id });
      }
    }
    return sightings;
  }

  async *#entries(day: string, afterEntry: number): AsyncGenerator<AuditEntry> {
    let after: string | undefined = afterEntry < 0 ? undefined : String(afterEntry);
    do {
      const query = new URLSearchParams({ limit: String(pageMax), ...(after === undefined ? {} : { after }) });
      const page = auditPageSchema.parse(await this.#get(`/v1/audit/days/${day}?${query.toString()}`));
      yield* page.entries;
      after = page.next ?? undefined;
    } while (after !== undefined);
  }

  async #get(path: string): Promise<unknown> {
    const response = await fetch(this.#baseUrl + path, {
      headers: { authorization: `Bearer ${this.#client.session?.accessToken ?? ''}` },
      signal: AbortSignal.timeout(10_000),
    });
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return response.json();
  }
}
