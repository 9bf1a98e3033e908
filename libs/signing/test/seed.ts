/** The seed of a randomised test: SEED from the environment, else by the clock; printed so that a failure can be run again. */
export function testSeed(): number {
  const seed = process.env['SEED'] === undefined ? Date.now() % 2 ** 31 : Number(process.env['SEED']);
  console.info(`seed ${seed}`);
  return seed;
}
