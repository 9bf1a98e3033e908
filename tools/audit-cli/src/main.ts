import { runCommandLine } from './run-command-line.ts';
import { exitCodes } from './verdict.ts';

// Whoever reads our output may stop reading; that is no verdict.
process.stdout.on('error', () => (process.exitCode = exitCodes.unknown));

// The exit code is the verdict: 0 verified, 1 proven false, 2 cannot tell or wrong usage.
process.exitCode = await runCommandLine(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isTerminal: process.stderr.isTTY,
});
