import { exitCodes, type Verdict } from './verdict.ts';

export interface Step {
  /** What is shown to be true. */
  shown: string;
  /** By what, in the order of the computation. */
  by: string[];
}

/** Where text goes, so that tests can read it. */
export interface Output {
  out(text: string): void;
  err(text: string): void;
  isTerminal: boolean;
}

const clearLine = '\r\u001b[2K';

/** Tells what was shown, step by step as it is shown, or all at once as JSON. */
export class Report {
  readonly #steps: Step[] = [];
  readonly #open: string[] = [];
  #isProgressShown = false;

  constructor(
    private readonly output: Output,
    private readonly isJson: boolean,
  ) {}

  shown(shown: string, ...by: string[]): void {
    this.#steps.push({ shown, by });
    this.#endProgress();
    if (this.isJson) return;
    this.output.out(`  ✔ ${printable(shown)}\n${by.map((line) => `      ${printable(line)}\n`).join('')}`);
  }

  /** What this command does not prove, said so that nobody takes it for proven. */
  notShown(text: string): void {
    this.#open.push(text);
    if (!this.isJson) this.output.out(`  · not shown: ${printable(text)}\n`);
  }

  progress(text: string): void {
    this.output.err(this.output.isTerminal ? `${clearLine}${text}` : `${text}\n`);
    this.#isProgressShown = this.output.isTerminal;
  }

  /** A line of progress is written over by what comes next. */
  #endProgress(): void {
    if (this.#isProgressShown) this.output.err(clearLine);
    this.#isProgressShown = false;
  }

  end(command: string, verdict: Verdict, reason: string, evidence: readonly string[] = []): void {
    this.#endProgress();
    if (this.isJson) {
      const all = {
        command,
        verdict,
        exit: exitCodes[verdict],
        reason,
        steps: this.#steps,
        not_shown: this.#open,
        evidence,
      };
      this.output.out(`${JSON.stringify(all, null, 2)}\n`);
      return;
    }
    const words = { verified: 'VERIFIED', refuted: 'PROVEN FALSE', unknown: 'CANNOT TELL' }[verdict];
    const line = `${words}: ${printable(reason)}\n`;
    if (verdict === 'verified') this.output.out(line);
    else this.output.err(line);
    for (const text of evidence) this.output.err(`\n${text.trimEnd().replaceAll(/^/gm, '    ')}\n`);
  }
}

/** Names in a log are chosen by strangers: none of them may write to the terminal's controls. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}
