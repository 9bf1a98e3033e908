import { spawn } from 'node:child_process';
import { EventStreamClient, type StreamAnswer } from './event-stream-client.ts';
import type { ClientTarget, RealClient } from './real-client.ts';

/** `curl -N`, started again with `Last-Event-ID` when it ends. */
export function curlClient({ url, token }: ClientTarget): RealClient {
  return new EventStreamClient((lastEventId): StreamAnswer => {
    const resume = lastEventId === undefined ? [] : ['-H', `last-event-id: ${lastEventId}`];
    const args = ['-sN', '-w', '%{stderr}%{http_code}', '-H', `authorization: Bearer ${token}`, ...resume, url];
    const child = spawn('curl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let status = '';
    child.stderr.on('data', (bytes: Buffer) => (status += bytes.toString()));
    const ended = new Promise<number>((resolve) => {
      child.once('error', () => resolve(0));
      child.once('close', () => resolve(Number(status.slice(-3))));
    });
    return { body: child.stdout, ended, cut: () => void child.kill('SIGKILL') };
  });
}
