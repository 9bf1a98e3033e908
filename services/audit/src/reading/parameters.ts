/** The values of a statement that is put together from parts. */
export class Parameters {
  readonly values: unknown[] = [];

  /** Takes a value and answers what stands for it: `$1`, `$2` … */
  add(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }
}
