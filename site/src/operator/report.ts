/** Where text goes, so that tests can read it. */
export interface Output {
  out(text: string): void;
  err(text: string): void;
  isTerminal: boolean;
}

export interface Finding {
  /** What was looked at, such as `postgres` or `peer pi`. */
  check: string;
  /** `finding`: something is to be mended. `unknown`: it could not be looked at, which says nothing. */
  verdict: 'ok' | 'finding' | 'unknown';
  says: string;
  /** Of a finding: how it is mended. */
  mend?: string;
}

export const exitCodes = { fine: 0, finding: 1, usage: 2 } as const;

const marks = { ok: '✔', finding: '✘', unknown: '·' } as const;
const clearLine = '\r\u001b[2K';

/** Tells what was found, line by line as it is found, or all at once as JSON; progress goes to standard error. */
export class Report {
  readonly #findings: Finding[] = [];
  readonly #facts: Record<string, unknown> = {};
  #isProgressShown = false;

  constructor(
    private readonly output: Output,
    private readonly isJson: boolean,
  ) {}

  get exitCode(): number {
    return this.#findings.some(({ verdict }) => verdict === 'finding') ? exitCodes.finding : exitCodes.fine;
  }

  add(finding: Finding): void {
    this.#findings.push(finding);
    this.#endProgress();
    if (this.isJson) return;
    this.output.out(`  ${marks[finding.verdict]} ${finding.check}: ${printable(finding.says)}\n`);
    if (finding.mend !== undefined) this.output.out(`      ${printable(finding.mend)}\n`);
  }

  /** What programs may want to know beside the findings. */
  fact(name: string, value: unknown): void {
    this.#facts[name] = value;
  }

  progress(text: string): void {
    this.output.err(this.output.isTerminal ? `${clearLine}${text}` : `${text}\n`);
    this.#isProgressShown = this.output.isTerminal;
  }

  end(command: string): void {
    this.#endProgress();
    if (!this.isJson) return;
    const all = { command, exit: this.exitCode, findings: this.#findings, ...this.#facts };
    this.output.out(`${JSON.stringify(all, null, 2)}\n`);
  }

  /** A line of progress is written over by what comes next. */
  #endProgress(): void {
    if (this.#isProgressShown) this.output.err(clearLine);
    this.#isProgressShown = false;
  }
}

/** Names of boards and sites are chosen by others: none of them may write to the terminal's controls. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}
