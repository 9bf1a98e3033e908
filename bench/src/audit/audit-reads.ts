import type { AuditEntry } from '@boardwire/contracts';
import type { AuditRig } from './audit-rig.ts';

/** A page of the log and what is asked of it. */
export interface PageKind {
  what: string;
  /** Path and query of one request; `request` counts from 0, so that each one asks for another place or name. */
  path(request: number): string;
}

export interface LogFacts {
  day: string;
  size: number;
  /** Entries spread over the log, whose names are looked for. */
  samples: readonly Pick<AuditEntry, 'actor' | 'event_id' | 'leaf_hash'>[];
}

const limit = 500;

export function pageKinds({ day, size, samples }: LogFacts): PageKind[] {
  const sample = (request: number) => samples[request % samples.length]!;
  const within = (filter: string) => `entries?day=${day}&limit=${limit}&${filter}`;
  const behind = (request: number) => Math.floor((((request * 7_919) % 1_000) / 1_000) * (size - 2 * limit));
  return [
    { what: 'first page of the day', path: () => `days/${day}?limit=${limit}` },
    { what: 'page inside the day', path: (at) => `days/${day}?limit=${limit}&after=${behind(at)}` },
    { what: 'newest', path: () => `entries?limit=${limit}` },
    { what: 'of a board', path: (at) => within(`board=board-${(at % 4) + 1}`) },
    { what: 'of a frequent subject', path: (at) => within(`subject=GameScore.m${at % 50}`) },
    { what: 'of one of 5,000 actors', path: (at) => within(`actor=${sample(at).actor}`) },
    { what: 'with an event id', path: (at) => within(`event_id=${sample(at).event_id}`) },
    { what: 'with a hash', path: (at) => within(`hash=${sample(at).leaf_hash}`) },
    { what: 'of a name that is not there', path: (at) => within(`actor=nobody-${at}`) },
    { what: 'decisions', path: () => within('kind=decision') },
  ];
}

/** Milliseconds of each of `requests` requests, one after the other. */
export async function pageTimes(rig: AuditRig, kind: PageKind, requests: number): Promise<number[]> {
  const times: number[] = [];
  for (let request = 0; request < requests; request += 1) {
    const began = performance.now();
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await rig.read(kind.path(request));
    times.push(performance.now() - began);
  }
  return times;
}

export interface ExportRun {
  rows: number;
  rowsPerSecond: number;
  /** How much more memory the service held at most than before, in each half of the file; bytes. */
  growth: [first: number, second: number];
}

const sampleMs = 100;

/** Downloads a file whole and watches the service's memory meanwhile. */
export async function measureExport(rig: AuditRig, path: string, rowsMin: number): Promise<ExportRun> {
  const before = rig.residentBytes();
  const seen: { rows: number; bytes: number }[] = [];
  let rows = 0;
  const watch = setInterval(() => seen.push({ rows, bytes: rig.residentBytes() - before }), sampleMs);
  const began = performance.now();
  try {
    for await (const chunk of (await rig.open(path)) as AsyncIterable<Buffer>) {
      for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, at + 1)) rows += 1;
    }
  } finally {
    clearInterval(watch);
  }
  const seconds = (performance.now() - began) / 1_000;
  // A header, or a trailer.
  rows -= 1;
  if (rows < rowsMin) throw new Error(`${path} brought ${rows} rows of ${rowsMin}`);
  const most = (half: typeof seen) => Math.max(0, ...half.map(({ bytes }) => bytes));
  const isFirst = (one: (typeof seen)[number]) => one.rows < rows / 2;
  return {
    rows,
    rowsPerSecond: rows / seconds,
    growth: [most(seen.filter(isFirst)), most(seen.filter((one) => !isFirst(one)))],
  };
}

const newline = 0x0a;
