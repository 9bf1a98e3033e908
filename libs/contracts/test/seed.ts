/** Printed, so that a failure can be repeated. */
export const seed = Number(process.env['BOARDWIRE_TEST_SEED']) || Date.now() % 1_000_000_007;

process.stderr.write(`seed ${seed} (repeat with BOARDWIRE_TEST_SEED=${seed})\n`);
