import { isEpochRecord, type LogRecord } from '../reading/log-record.ts';
import { Refuted } from '../verdict.ts';
import { Runs } from './runs.ts';

interface Numbered {
  title: string;
  runs: Runs;
}

const holesShown = 10;

/**
 * Whether what should be in the log is in it: a board's events are numbered from 1 in each epoch, a service's decisions
 * from 1 as well, so that whatever was left out leaves a hole, and whatever was put in twice a double.
 */
export class Completeness {
  readonly #boards = new Map<string, Numbered>();
  readonly #services = new Map<string, Numbered>();

  /** `isWhole`: numbers begin at 1. In a later epoch of the log they go on from where the former one was left. */
  constructor(private readonly isWhole = true) {}

  add(record: LogRecord, seq: number): void {
    if (isEpochRecord(record)) return;
    const { numbered, number } = this.#placeOf(record);
    if (number < 1) throw new Refuted(`entry ${seq}: ${numbered.title} are numbered from 1, and it says ${number}`);
    if (!numbered.runs.add(number))
      throw new Refuted(`entry ${seq}: ${number} of ${numbered.title} is in the log twice`);
  }

  /** Throws Refuted when anything is missing; else a line for each board and each service. */
  check(): string[] {
    const all = [...this.#boards.values(), ...this.#services.values()];
    const holes = all.flatMap(({ title, runs }) =>
      runs
        .holes(this.isWhole ? 1 : runs.first)
        .map(([first, last]) => `${first === last ? first : `${first}–${last}`} of ${title}`),
    );
    if (holes.length > 0) {
      const more = holes.length > holesShown ? ` and ${holes.length - holesShown} more` : '';
      throw new Refuted(`the log leaves out ${holes.slice(0, holesShown).join(', ')}${more}`);
    }
    return all.map(({ title, runs }) => `${this.isWhole ? 1 : runs.first}–${runs.last} of ${title}`);
  }

  /** The newest event of a board's epoch that is in the log; 0 when none is. */
  lastOf(board: string, epoch: string): number {
    return this.#boards.get(keyOf(board, epoch))?.runs.last ?? 0;
  }

  #placeOf(record: LogRecord): { numbered: Numbered; number: number } {
    if (record.kind === 'decision') {
      const title = `the decisions of ${record.origin}`;
      return { numbered: numberedOf(this.#services, record.origin, title), number: record.number! };
    }
    const key = keyOf(record.board!, record.epoch!);
    const title = `the events of ${record.board} in epoch ${record.epoch}`;
    return { numbered: numberedOf(this.#boards, key, title), number: record.seq! };
  }
}

function numberedOf(map: Map<string, Numbered>, key: string, title: string): Numbered {
  let numbered = map.get(key);
  if (numbered === undefined) map.set(key, (numbered = { title, runs: new Runs() }));
  return numbered;
}

const keyOf = (board: string, epoch: string) => JSON.stringify([board, epoch]);
