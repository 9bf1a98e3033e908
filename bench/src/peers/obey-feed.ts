import { createInterface } from 'node:readline';
import process from 'node:process';
import { pace } from '../load/pace.ts';

/** The side of a server under test: tells its port, and on `feed …` sends events through `send`. Ends with its input. */
export function obeyFeed(port: number, send: (number: number) => void): void {
  process.stdout.write(`port ${port}\n`);
  createInterface({ input: process.stdin })
    .on('line', (line) => void obey(line, send))
    .on('close', () => process.exit(0));
}

async function obey(line: string, send: (number: number) => void): Promise<void> {
  const [word, rate, burst, ms, first] = line.split(' ');
  if (word !== 'feed') return;
  let next = Number(first);
  const plan = { rate: Number(rate), burst: Number(burst), seconds: Number(ms) / 1_000 };
  const sent = await pace(plan, (count) => {
    for (let index = 0; index < count; index += 1) send(next++);
  });
  process.stdout.write(`fed ${sent}\n`);
}
