import type { Report } from './report.ts';
import type { SiteSettings } from './site-settings.ts';
import { Misuse } from './misuse.ts';

export interface Option {
  type: 'string' | 'boolean';
  isRepeated?: boolean;
  /** What stands for the value in the help. */
  value?: string;
  says: string;
}

export interface Command {
  name: string;
  summary: string;
  options: Readonly<Record<string, Option>>;
  /** What it does and what it leaves alone. */
  explains: string;
  examples: readonly string[];
  /** Throws Misuse, or whatever keeps it from its work. */
  run(given: Given): Promise<void>;
}

/** What stands on the command line, and where the site is. */
export class Given {
  constructor(
    private readonly values: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>,
    readonly settings: SiteSettings,
    readonly report: Report,
    /** Aborts when the operator has had enough. */
    readonly signal: AbortSignal,
  ) {}

  text(name: string): string | undefined {
    const value = this.values[name];
    return typeof value === 'string' ? value : undefined;
  }

  needed(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw new Misuse(`--${name} is needed`);
    return value;
  }

  all(name: string): string[] {
    const value = this.values[name];
    return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
  }

  has(name: string): boolean {
    return this.values[name] === true;
  }
}
