import type { LogEvent } from './board-ring.ts';
import type { FilterSet } from './filter-set.ts';

export interface LogPage {
  epoch: string;
  events: LogEvent[];
  /** The first seq that the log still keeps; absent: 1. */
  oldest?: number;
  /** Everything that matches up to here is in the page. */
  to: number;
}

export interface PageQuery {
  wanted: FilterSet;
  after: number;
  upTo: number;
  bytesMax: number;
}

export interface CountQuery {
  wanted: FilterSet;
  after: number;
  upTo: number;
  max: number;
}

export interface NewestQuery {
  wanted: FilterSet;
  upTo: number;
  count: number;
}

/**
 * The log of boards as chat keeps it: the truth behind every ring. Each answer names the epoch that it is of, which may
 * be one that this pod has not heard of yet: its seqs then mean other events.
 */
export interface BoardLog {
  head(board: string): Promise<{ epoch: string; head: number }>;
  /** The first matching events after a position, at most a page of them and hardly more than so many bytes. */
  after(board: string, query: PageQuery): Promise<LogPage>;
  /** How many match, counted up to `max`. */
  count(board: string, query: CountQuery): Promise<{ epoch: string; count: number }>;
  /** The newest matching events, oldest first. */
  newest(board: string, query: NewestQuery): Promise<{ epoch: string; events: LogEvent[] }>;
  /** Every seq from `from` on without hole, removed ones too; at most a page of them. */
  range(board: string, query: { from: number; to: number }): Promise<{ epoch: string; events: LogEvent[] }>;
}
