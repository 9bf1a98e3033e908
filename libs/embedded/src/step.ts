/** One finished step of finding or starting a server, for a line on the terminal. */
export interface Step {
  /** What was done, in a user's words: `Postgres: database created`. */
  text: string;
  ms: number;
  /** Set when the step worked but the user should know something. */
  warning?: string;
}

export type StepListener = (step: Step) => void;

/** Runs `work`, then tells the listener what was done and how long it took. */
export async function timedStep<T>(
  onStep: StepListener | undefined,
  text: string | ((result: T) => string),
  work: () => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  const result = await work();
  const ms = Math.round(performance.now() - startedAt);
  onStep?.({ text: typeof text === 'string' ? text : text(result), ms });
  return result;
}
