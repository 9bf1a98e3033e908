import type { Kit } from './kit.ts';

/** One thing that BF/1 asks of a site. */
export interface Rule {
  /** `area.what`, for ever: reports are compared by it. */
  name: string;
  says: string;
  /** @throws Broken, NotApplicable */
  check(kit: Kit): Promise<void>;
}

/** The site doesn't keep the rule. */
export class Broken extends Error {
  override readonly name = 'Broken';
}

/** Nothing can be said here, such as without a second invitation. */
export class NotApplicable extends Error {
  override readonly name = 'NotApplicable';
}

export function expectThat(isSo: boolean, otherwise: string): asserts isSo {
  if (!isSo) throw new Broken(otherwise);
}

export function expectEqual(actual: unknown, wanted: unknown, what: string): void {
  const [got, want] = [JSON.stringify(actual), JSON.stringify(wanted)];
  if (got !== want) throw new Broken(`${what}: ${shortened(got)} instead of ${shortened(want)}`);
}

const shortened = (text: string | undefined) =>
  text === undefined || text.length <= 200 ? text : `${text.slice(0, 200)}…`;
