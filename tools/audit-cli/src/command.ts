import type { Report } from './report.ts';
import { CannotTell } from './verdict.ts';

export interface Option {
  type: 'string' | 'boolean';
  isRepeated?: boolean;
  /** What stands for the value in the help. */
  value?: string;
  says: string;
}

export interface Command {
  /** Such as `verify checkpoint`. */
  name: string;
  summary: string;
  /** The files it takes without an option, as the help names them; a `…` at the end: more of them. */
  files: string;
  filesMin: number;
  filesMax: number;
  options: Readonly<Record<string, Option>>;
  /** What it proves, and what it doesn't. */
  explains: string;
  /** Returns what is verified, as a sentence. Throws Refuted or CannotTell. */
  run(given: Given): Promise<string>;
}

/** What stands on the command line. */
export class Given {
  constructor(
    readonly files: readonly string[],
    private readonly values: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>,
    readonly report: Report,
  ) {}

  text(name: string): string | undefined {
    const value = this.values[name];
    return typeof value === 'string' ? value : undefined;
  }

  needed(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw new CannotTell(`--${name} is needed`);
    return value;
  }

  all(name: string): string[] {
    const value = this.values[name];
    return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
  }

  has(name: string): boolean {
    return this.values[name] === true;
  }

  /** A whole number; undefined when the option isn't there. */
  count(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const count = Number(text);
    if (!/^(?:0|[1-9][0-9]{0,15})$/.test(text) || !Number.isSafeInteger(count)) {
      throw new CannotTell(`--${name} ${text}: give a whole number`);
    }
    return count;
  }
}
