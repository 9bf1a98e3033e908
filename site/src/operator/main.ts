import process from 'node:process';
import { runOperator } from './run-operator.ts';

// Whoever reads our output may stop reading.
process.stdout.on('error', () => undefined);

// Ctrl-C ends what is under way in good order; pressed again, it ends at once.
const ending = new AbortController();
process.once('SIGINT', () => ending.abort());
process.once('SIGTERM', () => ending.abort());

const code = await runOperator(process.argv.slice(2), {
  env: process.env,
  output: {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isTerminal: process.stderr.isTTY,
  },
  signal: ending.signal,
});
// Not process.exit: what was written may still be on its way into a pipe.
process.exitCode = code;
