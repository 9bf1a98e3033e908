/** Spread by half to three halves, so that those who were cut together don't come back together. */
export function jittered(ms: number): number {
  return Math.round(ms * (0.5 + Math.random()));
}
